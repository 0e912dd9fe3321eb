#!/bin/sh
# Stands before the real bwrap in PATH and gives the program inside another clock: FAKED_CLOCK is libfaketime's FAKETIME.
given=
for argument; do
  shift
  if [ "$argument" = -- ] && [ -z "$given" ]; then
    given=1
    set -- "$@" --ro-bind /usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1 /run/libfaketime.so.1 \
      --setenv LD_PRELOAD /run/libfaketime.so.1 --setenv FAKETIME "$FAKED_CLOCK" --setenv FAKETIME_DONT_FAKE_MONOTONIC 1
  fi
  set -- "$@" "$argument"
done
exec /usr/bin/bwrap "$@"
