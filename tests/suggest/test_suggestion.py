import json

from onecycle_cli.suggest import suggest_lr


def test_says_the_same_as_plain_data(drawn, flat):
    accepted, refused = (suggest_lr([s]).suggestion for s in (drawn(0), flat(0)))
    assert accepted.as_dict()["interval"] == list(accepted.interval)
    assert (refused.as_dict()["value"], refused.as_dict()["interval"]) == (None, None)
    json.dumps([accepted.as_dict(), refused.as_dict()], allow_nan=False)
