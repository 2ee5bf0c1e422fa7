# The FlukeDeploy server. Roles, stores and secrets come from the environment: see docker-compose.yml.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Only the install scripts that package.json names are run.
RUN npm ci --include=dev --ignore-scripts --no-audit --no-fund \
 && npm rebuild $(node -p 'Object.entries(require("./package.json").allowScripts).filter(([, allowed]) => allowed).map(([name]) => name).join(" ")')
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npx --no-install nest build && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --create-home flukedeploy \
 && install -d -o flukedeploy -g flukedeploy /var/lib/flukedeploy
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY bin ./bin
ENV NODE_ENV=production DATA_DIR=/var/lib/flukedeploy HOST=0.0.0.0
USER flukedeploy
VOLUME /var/lib/flukedeploy
EXPOSE 3000 8767
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
