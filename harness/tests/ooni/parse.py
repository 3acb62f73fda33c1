# Reads measurements, one a line, as OONI's own pipeline does (oonidata), and prints what it understood, one a line, as JSON.
import json
import sys

from oonidata.models.nettests import NETTEST_MODELS

for line in sys.stdin:
    written = json.loads(line)
    read = NETTEST_MODELS[written["test_name"]].from_dict(written)
    keys = read.test_keys.to_dict()
    print(json.dumps({
        "class": type(read).__name__,
        "input": read.input,
        "probe_asn": read.probe_asn,
        "annotations": read.annotations,
        "blocking": keys.get("blocking"),
        "accessible": keys.get("accessible"),
        "queries": len(keys.get("queries") or []),
        "requests": len(keys.get("requests") or []),
        "read_bytes": any(event.get("num_bytes") for event in keys.get("network_events") or []),
    }))
