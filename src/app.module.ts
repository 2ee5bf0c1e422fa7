/** The composition root: which adapter stands behind which port, and which parts this process's role needs. */
import { join } from 'node:path';
import { Global, Injectable, Module, type DynamicModule, type InjectionToken, type Provider } from '@nestjs/common';
import { AcmeCertificateAuthority } from './adapters/acme/acme-certificate-authority.js';
import { TarArchives } from './adapters/archive/tar-archives.js';
import type { DockerClient } from './adapters/docker/docker-client.js';
import { DockerImages } from './adapters/docker/docker-images.js';
import { parseRegistryUrl } from './adapters/docker/registry-location.js';
import { storedRegistries } from './adapters/docker/stored-registries.js';
import { SwarmCluster } from './adapters/docker/swarm-cluster.js';
import { SwarmJobs } from './adapters/docker/swarm-jobs.js';
import { CommandLineGit } from './adapters/git/command-line-git.js';
import { NginxEdge } from './adapters/nginx/nginx-edge.js';
import { NoEdge } from './adapters/network/no-edge.js';
import { PostgresAgentStore } from './adapters/postgres/postgres-agent-store.js';
import { PostgresAppStore } from './adapters/postgres/postgres-app-store.js';
import { PostgresAuditTrail } from './adapters/postgres/postgres-audit-trail.js';
import { PostgresCertificateStore } from './adapters/postgres/postgres-certificate-store.js';
import { PostgresCredentialStore } from './adapters/postgres/postgres-credential-store.js';
import { PostgresDeploymentStore } from './adapters/postgres/postgres-deployment-store.js';
import { PostgresLogStore } from './adapters/postgres/postgres-log-store.js';
import { PostgresNotificationStore } from './adapters/postgres/postgres-notification-store.js';
import { PostgresPhaseClaims } from './adapters/postgres/postgres-phase-claims.js';
import { PostgresPolicyStore } from './adapters/postgres/postgres-policy-store.js';
import { PostgresRegistryStore } from './adapters/postgres/postgres-registry-store.js';
import { PostgresSboms } from './adapters/postgres/postgres-sboms.js';
import { RedisWakeups } from './adapters/redis/redis-wakeups.js';
import { TrivyContainer } from './adapters/trivy/trivy-container.js';
import { TrivyProgram } from './adapters/trivy/trivy-program.js';
import { TrivyScanner } from './adapters/trivy/trivy-scanner.js';
import { HttpWebhookSender } from './adapters/webhooks/http-webhook-sender.js';
import type { Config } from './config.js';
import { flukebaseParts } from './flukebase-parts.js';
import { LIMITS } from './domain/limits.js';
import {
  AgentStore,
  AppStore,
  Archives,
  AuditTrail,
  CertificateAuthority,
  CertificateStore,
  Cluster,
  CredentialStore,
  DeploymentStore,
  Edge,
  GitRemote,
  Images,
  Jobs,
  ImageScanner,
  LogStore,
  NotificationStore,
  PhaseClaims,
  PhaseQueue,
  PolicyStore,
  RegistryStore,
  Sboms,
  Secrets,
  Wakeups,
  WebhookSender,
} from './domain/ports.js';
import { HttpModule } from './gateways/http/http.module.js';
import { PipeBodyValidator } from './gateways/http/pipe-body-validator.js';
import { LogStreamModule } from './gateways/log-stream/log-stream.module.js';
import { LogStreamOptions } from './gateways/log-stream/log-stream.options.js';
import type { Infrastructure } from './infrastructure.js';
import { StreamAuthenticator, type StreamPrincipal } from './gateways/log-stream/stream-authenticator.js';
import { CaptainName, CertificateOptions, CertificatesModule } from './modules/certificates/index.js';
import { EdgePorts } from './modules/apps/index.js';
import { AuditModule } from './modules/audit/index.js';
import { AuthModule, AuthService } from './modules/auth/index.js';
import {
  BodyValidator,
  DeploymentsModule,
  ImageCleanupOptions,
  RolloutOptions,
  TrackerOptions,
  UploadOptions,
  WorkspaceOptions,
} from './modules/deployments/index.js';
import { CaptainOptions, EdgeKeeping } from './modules/edge/index.js';
import { FlukeBaseModule } from './modules/flukebase/index.js';
import { LogsModule } from './modules/logs/index.js';
import { McpOptions } from './modules/mcp/index.js';
import { Dependencies } from './modules/health/index.js';
import { Plugins, readServerPlugins } from './modules/plugins/index.js';
import { builtInPlugins } from './plugins/index.js';
import { VERSION } from './version.js';
import { NotificationsModule } from './modules/notifications/index.js';
import { BullPhaseQueue, QueueConnections } from './queue/bull-phase-queue.js';
import { QueueModule } from './queue/queue.module.js';

const MEGABYTE = 1024 * 1024;

@Injectable()
class TokenStreamAuthenticator extends StreamAuthenticator {
  constructor(private readonly auth: AuthService) {
    super();
  }

  override async authenticate(token: string): Promise<StreamPrincipal | undefined> {
    const principal = await this.auth.authenticateToken(token);
    return principal?.scopes.includes('read') ? principal : undefined;
  }
}

@Module({
  imports: [AuditModule, AuthModule],
  providers: [{ provide: StreamAuthenticator, useClass: TokenStreamAuthenticator }],
  exports: [AuditModule, StreamAuthenticator],
})
class StreamAuthModule {}

/** A program of this machine is faster than a container, and asks no registry. */
function trivy({ DATA_DIR, DOCKER_HOST, TRIVY_PATH }: Config, docker: DockerClient, images: Images): TrivyScanner {
  const cacheFolder = join(DATA_DIR, 'trivy');
  const [, socket] = DOCKER_HOST.split('unix://');
  return new TrivyScanner([
    new TrivyProgram({ program: TRIVY_PATH, cacheFolder, dockerHost: DOCKER_HOST }),
    new TrivyContainer(docker, images, { socket }),
  ]);
}

/** Every port with its adapter, and every option with its value: visible to all modules. */
@Global()
@Module({})
export class PortsModule {
  static for(config: Config, infrastructure: Infrastructure): DynamicModule {
    const { database, redis, docker, installation, secrets, acmeAuthorities } = infrastructure;
    const instance = config.FLUKEDEPLOY_INSTANCE;
    const lease_ms = config.FLUKEDEPLOY_LEASE_SECONDS * 1000;
    const uploadBytes = config.UPLOAD_LIMIT_MB * MEGABYTE;
    const sourceBytes = uploadBytes * LIMITS.archive_expansion;
    const hasEdge = config.HTTP_PORT > 0;
    // No project's network is named like it: their names hold no underscore.
    const edgeNetwork = `${config.EDGE_NAME}_network`;
    const edge = hasEdge
      ? new NginxEdge(docker, {
          httpPort: config.HTTP_PORT,
          httpsPort: config.HTTPS_PORT,
          ...(config.EDGE_IMAGE !== undefined && { image: config.EDGE_IMAGE }),
          service: config.EDGE_NAME,
          network: edgeNetwork,
          drainSeconds: config.EDGE_DRAIN_SECONDS,
          installation,
          tunnelSecret: secrets.fingerprint('edge tunnel'),
        })
      : new NoEdge();
    const ownRegistry = config.REGISTRY_URL === undefined ? undefined : parseRegistryUrl(config.REGISTRY_URL);
    const registryStore = new PostgresRegistryStore(database);
    const registries = storedRegistries(registryStore, secrets, ownRegistry);
    const cluster = new SwarmCluster(docker, {
      installation,
      edgeNetwork: hasEdge ? edgeNetwork : undefined,
      registries,
    });
    const images = new DockerImages(docker, { registries });
    const scanner = trivy(config, docker, images);
    const sboms = new PostgresSboms(database);
    const builtIn = builtInPlugins({ cluster, images, scanner, sboms }, VERSION);
    const flukebase = flukebaseParts(config, infrastructure);
    const values: readonly (readonly [InjectionToken, unknown])[] = [
      [LogStore, new PostgresLogStore(database, instance)],
      [DeploymentStore, new PostgresDeploymentStore(database, { instance, retention_days: config.LOG_RETENTION_DAYS })],
      [PhaseClaims, new PostgresPhaseClaims(database, { instance, lease_ms })],
      [CredentialStore, new PostgresCredentialStore(database)],
      [AuditTrail, new PostgresAuditTrail(database)],
      [PolicyStore, new PostgresPolicyStore(database)],
      [AgentStore, new PostgresAgentStore(database)],
      [Secrets, secrets],
      [Wakeups, new RedisWakeups(redis.commands, redis.subscriptions)],
      [Archives, new TarArchives({ maxBytes: sourceBytes })],
      [GitRemote, new CommandLineGit({ allowedHosts: config.GIT_ALLOWED_HOSTS, maxBytes: sourceBytes })],
      [Cluster, cluster],
      [Jobs, new SwarmJobs(docker, cluster, { installation, registries })],
      [Images, images],
      [ImageScanner, scanner],
      [Sboms, sboms],
      [Edge, edge],
      [CertificateStore, new PostgresCertificateStore(database)],
      [
        CertificateAuthority,
        new AcmeCertificateAuthority({
          directory: config.ACME_DIRECTORY_URL,
          email: config.ACME_EMAIL,
          authorities: acmeAuthorities,
        }),
      ],
      [CertificateOptions, new CertificateOptions(config.ACME_DIRECTORY_URL, config.ACME_EMAIL)],
      [CaptainName, new CaptainName(config.ROOT_DOMAIN === undefined ? undefined : `captain.${config.ROOT_DOMAIN}`)],
      [CaptainOptions, new CaptainOptions(config.ROOT_DOMAIN, config.EDGE_API_UPSTREAM)],
      [McpOptions, new McpOptions(VERSION, config.ROOT_DOMAIN, config.MCP_CONFORMANCE_FIXTURES === '1')],
      [EdgeKeeping, new EdgeKeeping(config.FLUKEDEPLOY_ROLE !== 'api')],
      [NotificationStore, new PostgresNotificationStore(database, config.LOG_RETENTION_DAYS)],
      [WebhookSender, new HttpWebhookSender({ allowedHosts: config.NOTIFY_ALLOWED_HOSTS })],
      ...flukebase.values,
      [RegistryStore, registryStore],
      [AppStore, new PostgresAppStore(database)],
      [
        Plugins,
        new Plugins([...builtIn, ...infrastructure.externalPlugins], readServerPlugins(infrastructure.pluginConfig)),
      ],
      [EdgePorts, new EdgePorts(config.HTTP_PORT, config.HTTPS_PORT)],
      [ImageCleanupOptions, new ImageCleanupOptions(config.RELEASES_KEPT)],
      [RolloutOptions, new RolloutOptions(config.ROOT_DOMAIN, config.HTTP_PORT)],
      [TrackerOptions, new TrackerOptions(lease_ms, config.FLUKEDEPLOY_CONCURRENCY)],
      [UploadOptions, new UploadOptions(join(config.DATA_DIR, 'uploads'), uploadBytes)],
      [WorkspaceOptions, new WorkspaceOptions(join(config.DATA_DIR, 'workspaces'))],
      [QueueConnections, new QueueConnections(redis.queue, redis.worker)],
      [
        LogStreamOptions,
        new LogStreamOptions({ host: config.WS_HOST, port: config.WS_PORT, pagePorts: [config.PORT] }),
      ],
      [
        Dependencies,
        new Dependencies([
          { name: 'database', required: true, check: () => database.query('select 1') },
          { name: 'redis', required: false, check: () => redis.commands.ping() },
          {
            name: 'docker',
            required: config.FLUKEDEPLOY_ROLE !== 'api',
            check: async (): Promise<unknown> => (await docker.calls()).ping(),
          },
          ...(hasEdge && config.FLUKEDEPLOY_ROLE !== 'api'
            ? [{ name: 'edge', required: false, check: () => edge.ping() }]
            : []),
          ...flukebase.dependencies,
        ]),
      ],
    ];
    const providers: Provider[] = [
      ...values.map(([provide, useValue]) => ({ provide, useValue })),
      { provide: PhaseQueue, useClass: BullPhaseQueue },
      { provide: BodyValidator, useClass: PipeBodyValidator },
    ];
    return { module: PortsModule, providers, exports: providers };
  }
}

@Module({})
export class AppModule {
  static for(config: Config, infrastructure: Infrastructure): DynamicModule {
    const role = config.FLUKEDEPLOY_ROLE;
    const serving =
      role === 'worker' ? [] : [LogStreamModule.register([LogsModule, DeploymentsModule, StreamAuthModule])];
    return {
      module: AppModule,
      imports: [
        PortsModule.for(config, infrastructure),
        HttpModule,
        CertificatesModule.for(role === 'api' ? 'api' : 'worker'),
        FlukeBaseModule.for(role === 'api' || config.FLUKEBASE_API_TOKEN === undefined ? 'api' : 'worker'),
        NotificationsModule.for(role === 'api' ? 'api' : 'worker'),
        QueueModule.for(role === 'api' ? 'api' : 'worker'),
        ...serving,
      ],
    };
  }
}
