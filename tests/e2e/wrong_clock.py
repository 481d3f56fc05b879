"""A computer whose clock is wrong."""


def wrong(days):
    return {"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "FAKETIME": "%+dd" % days, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
