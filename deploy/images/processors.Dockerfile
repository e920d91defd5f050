# The processors: one image, STOCKLINE_PROCESSORS says which of them run.
FROM node:20-bookworm AS modules
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:20-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production UV_THREADPOOL_SIZE=32
COPY --from=modules /app/node_modules node_modules
COPY package.json ./
COPY connectors connectors
COPY dashboards dashboards
COPY deploy/native deploy/native
COPY schemas schemas
COPY processors processors
RUN mkdir -p /var/lib/stockline && chown node:node /var/lib/stockline
USER node
VOLUME /var/lib/stockline
CMD ["node", "--max-semi-space-size=64", "--import", "@oxc-node/core/register", "processors/main.ts"]
