#!/bin/sh
# Written by the installer: the box's own administration. -P: not what lies in the folder it is called from.
PYTHONPATH=/opt/linewarden/current/share exec /opt/linewarden/current/bin/python -P -m deploy.box "$@"
