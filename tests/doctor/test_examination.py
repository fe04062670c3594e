from onecycle_cli.doctor import State, examine, machine


def test_what_fails_does_not_keep_the_rest_from_being_seen(monkeypatch, tmp_path):
    topics = [finding.topic for finding in examine(tmp_path, start_keras=False)]

    def fails():
        raise RuntimeError("this machine is odd")

    monkeypatch.setattr(machine, "processor", fails)
    findings = list(examine(tmp_path, start_keras=False))
    lost = set(topics) - {finding.topic for finding in findings}
    assert lost == {"instructions", "cores"}
    (processor,) = [finding for finding in findings if finding.topic == "processor"]
    assert processor.state is State.MISSING
    assert "this machine is odd" in processor.text
