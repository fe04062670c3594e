from onecycle_cli.doctor import Finding, State


def test_all_is_well(invoke, own_folders):
    outcome = invoke("doctor", "--fast")
    assert outcome.exit_code == 0, outcome.output
    for topic in ("versions", "backend", "cores", "disk", "data set digits", "extra ray"):
        assert any(line[2:].startswith(topic) for line in outcome.stdout.splitlines()), topic
    assert list(own_folders.iterdir()) == [], "it writes nothing"


def test_a_problem_is_counted_and_told_by_the_exit_code(invoke, answer_of, monkeypatch):
    monkeypatch.setenv("ONECYCLE_DATA", "/nowhere")
    outcome = invoke("doctor", "--fast")
    assert outcome.exit_code == 1
    assert outcome.stdout.count("\n! ") == 2, "the place, and what can't be looked for there"
    assert outcome.stdout.endswith("2 problems, marked by !\n")

    answer = answer_of(invoke("doctor", "--fast", "--json"))
    assert (answer["command"], answer["problems"]) == ("doctor", 2)
    assert "problem" in {finding["state"] for finding in answer["findings"]}


def test_no_line_is_broken_within_a_word(invoke, monkeypatch):
    words = [f"word{'x' * (i % 9)}" for i in range(40)]
    finding = Finding("topic", " ".join(words), State.MISSING, "pip install 'something'")
    monkeypatch.setattr("onecycle_cli.doctor.examine", lambda *_, **__: [finding])
    monkeypatch.setenv("COLUMNS", "60")
    lines = invoke("doctor").stdout.splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert " ".join(lines).split() == ["-", "topic", *words, *finding.remedy.split()]
