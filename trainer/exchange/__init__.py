"""Labelled pictures to and from other tools' formats: COCO, Label Studio, CSV."""
