#!/bin/sh
# What is tested: asks for a page at one mirror after the other, until one answers, and says which.
for mirror in "$@"; do
    if curl --silent --show-error --max-time 5 --output /dev/null "$mirror"; then
        echo "$mirror"
        exit 0
    fi
done
exit 1
