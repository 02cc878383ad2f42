"""A sweep: many recipes tried on one data set, by any number of workers, without its test."""
