# syntax=docker/dockerfile:1

# --- Build: what `make run` does, on the same Debian release ----------------
FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY Cargo.toml ./
COPY scripts scripts
RUN scripts/setup --run
COPY Cargo.lock build.rs clippy.toml ./
COPY actors actors
COPY config config
COPY crates crates
COPY loadtest loadtest
COPY src src
COPY tests tests
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin ringway && cp target/release/ringway /usr/local/bin/ringway

# --- Serve: the libraries, the models, the binary ---------------------------
FROM debian:bookworm-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        ca-certificates libflite1 libopus0 libpocketsphinx3 pocketsphinx-en-us \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin ringway
WORKDIR /opt/ringway
COPY --from=build /build/.ringway/lib .ringway/lib
COPY --from=build /build/.ringway/models .ringway/models
COPY --from=build /usr/local/bin/ringway /usr/local/bin/ringway
COPY config config
COPY scripts/healthcheck /usr/local/bin/healthcheck
USER ringway
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["healthcheck", "3000"]
ENTRYPOINT ["ringway"]
CMD ["serve", "--config", "config/default.toml", "--log", "json"]
