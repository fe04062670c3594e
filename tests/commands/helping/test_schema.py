import json

from onecycle_cli.registry import models


def test_it_knows_the_models_and_goes_into_a_file(invoke, answer_of, own_folders):
    schema = json.loads(invoke("schema").stdout)
    allowed = schema["$defs"]["ModelConfig"]["properties"]["name"]["anyOf"]
    assert allowed[0]["enum"] == list(models.model_names())

    assert invoke("schema", "--out", "s.json").stdout == "wrote s.json\n"
    assert json.loads((own_folders / "s.json").read_text()) == schema
    answer = answer_of(invoke("schema", "--json"))
    assert (answer["command"], answer["schema"]) == ("schema", schema)
