#!/bin/sh
# Written by the installer: the box's own administration.
PYTHONPATH=/opt/linewarden/current/share exec /opt/linewarden/current/bin/python -m deploy.box "$@"
