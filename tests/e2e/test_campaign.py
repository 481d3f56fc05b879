#!/usr/bin/python3
"""script/campaign goes on from where the record ends until each target is reached, tries once what fails and then goes on with the
rest. The tiers are two scripts of a line each: what is tried here is the loop, what they find is the other tests' business."""
import importlib.machinery
import importlib.util
import json
import os
import sys
import tempfile

from harness import ROOT, Cases

cases = Cases()
SLICE = """import json, sys
tier, n, failures, seed, _, record = sys.argv[1:]
print(json.dumps(dict(tier=tier, what=tier, histories=int(n), failures=int(failures), seed=int(seed))), file=open(record, "a"))
sys.exit(int(failures))"""


def load():
    loader = importlib.machinery.SourceFileLoader("release_campaign", os.path.join(ROOT, "script/campaign"))
    sys.dont_write_bytecode = True
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("release_campaign", loader))
    loader.exec_module(module)
    return module


def tier(campaign, name, failures):
    return campaign.Row(name, name, "histories", 250, 100, [sys.executable, "-c", SLICE, name, "{n}", str(failures), "{seed}"])


def main():
    campaign = load()
    cases.check("every tier of the release has a target and a command", all(r.target and r.command for r in campaign.ROWS))
    with tempfile.TemporaryDirectory() as directory:
        campaign.RECORD = os.path.join(directory, "record.jsonl")
        campaign.make = campaign.page = lambda: None
        campaign.ROWS = (tier(campaign, "broken", 1), tier(campaign, "sound", 0))
        cases.equal("no time, no slice", (campaign.main(["--minutes", "0"]), campaign.lines()), (0, []))
        cases.equal("what fails is said", campaign.main([]), 1)
        ran = [(r["tier"], r["seed"], r["histories"]) for r in campaign.lines()]
        cases.equal("slices go on seed by seed; what fails is tried once", ran, [("broken", 1, 100), ("sound", 1, 100), ("sound", 101, 100), ("sound", 201, 50)])
        cases.equal("a target that is reached is left", (campaign.main(["--only", "sound"]), len(campaign.lines())), (0, 4))
        with open(campaign.RECORD) as record:
            cases.check("the record is JSON lines", all(json.loads(line) for line in record))
    cases.close()


if __name__ == "__main__":
    main()
