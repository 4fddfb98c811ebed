# Works in a folder that would have to be made among the inputs.
WORKDIR /input/below
