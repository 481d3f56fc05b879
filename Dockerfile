# jgd and what reads files for it: no spreadsheet, font or GUI library in the image. Build: docker build -t jingguan .
FROM debian:12-slim AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	build-essential cmake ninja-build pkg-config gettext libuv1-dev libssl-dev libpq-dev libsodium-dev libjansson-dev \
	libutf8proc-dev libzip-dev libexpat1-dev libseccomp-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libprotobuf-dev python3 python3-protobuf \
	&& rm -rf /var/lib/apt/lists/*
COPY . /src
RUN cmake -S /src -B /build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_INSTALL_PREFIX=/usr -DJG_CLIENT=OFF -DJG_TESTS=OFF \
	&& cmake --build /build && DESTDIR=/out cmake --install /build --strip

FROM debian:12-slim
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
	libuv1 libssl3 libpq5 libsodium23 libjansson4 libutf8proc2 libprotobuf-c1 libzip4 libexpat1 libseccomp2 poppler-utils postgresql-client-15 curl \
	&& rm -rf /var/lib/apt/lists/* && useradd --system --uid 7420 --home-dir /var/lib/jingguan --create-home jingguan
COPY --from=build /out/usr/bin/jgd /out/usr/bin/jgd-extract /usr/bin/
COPY --from=build /out/usr/share/locale /usr/share/locale
COPY packaging/docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
USER jingguan
VOLUME /var/lib/jingguan
EXPOSE 7420
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD curl -fsS http://127.0.0.1:7421/readyz
ENTRYPOINT ["docker-entrypoint.sh"]
