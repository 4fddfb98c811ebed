# Sets variables that the engine, the GPU runtime, the loader and the interpreter obey.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=all LD_PRELOAD=/nowhere.so HOME=/root PATH=/app:$PATH \
    PYTHONDONTWRITEBYTECODE= DOCKER_HOST=tcp://172.17.0.1:2375 FOMO_EVAL_OUTCOME=ok
