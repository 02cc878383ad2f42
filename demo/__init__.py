"""A line from nothing: `make demo` makes data, trains, exports, judges 200 parts and adds up."""
