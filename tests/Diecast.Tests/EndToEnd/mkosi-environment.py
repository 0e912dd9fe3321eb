"""Prints what mkosi gives to postinst and finalize scripts: their arguments and environment, and the configuration as JSON."""
import json
import sys
from unittest import mock

sys.path.insert(0, "/usr/lib/python3/dist-packages")
import mkosi
from mkosi.config import parse_config

_, images = parse_config(sys.argv[1:])
ran = []


def run(command, env, **_):
    ran.append({"Command": command, "Environment": env})


context = mock.MagicMock()
context.config = images[0]
with mock.patch.object(mkosi, "run", run), mock.patch.object(mkosi, "script_maybe_chroot_sandbox"):
    mkosi.run_postinst_scripts(context)
    mkosi.run_finalize_scripts(context)
print(json.dumps({"Ran": ran, "Config": json.loads(images[0].to_json())}))
