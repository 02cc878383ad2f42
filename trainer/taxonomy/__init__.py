"""`--task types`: which kind of defect is it, where no picture is good."""
