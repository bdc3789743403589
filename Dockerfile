# syntax=docker/dockerfile:1
FROM python:3.13.7-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/outwatch
COPY requirements.lock .
RUN /opt/outwatch/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
# The wheel is built apart, so that the build tools stay out of the image's environment.
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
    && /opt/outwatch/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.13.7-slim-bookworm
LABEL org.opencontainers.image.title="outwatch" \
      org.opencontainers.image.description="A live watch on outsourced customer service" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --create-home outwatch
COPY --from=build /opt/outwatch /opt/outwatch
ENV PATH=/opt/outwatch/bin:$PATH PYTHONUNBUFFERED=1 OUTWATCH_HTTP_HOST=0.0.0.0 OUTWATCH_HTTP_PORT=9464
USER 10001
WORKDIR /home/outwatch
# Of the worker, the projector and the notifier; a container that runs another command and ends disables it.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s CMD ["python", "-c", "import http.client as h, os; c = h.HTTPConnection('127.0.0.1', int(os.environ['OUTWATCH_HTTP_PORT']), timeout=5); c.request('GET', '/readyz'); raise SystemExit(c.getresponse().status != 200)"]
EXPOSE 9464
STOPSIGNAL SIGTERM
ENTRYPOINT ["outwatch"]
CMD ["run"]
