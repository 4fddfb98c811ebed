# Asks for root, and for a health check that runs beside the model.
USER root
HEALTHCHECK --interval=1s CMD ["python", "-c", "open('/output/prediction.txt', 'w').write('beside')"]
STOPSIGNAL SIGUSR2
EXPOSE 80
