/** How a request finds its version while an app has a canary: pure text, and the names that logs and routes agree on. */
import type { CanaryMatch } from '../../domain/strategy.js';
import type { Backend, Canary, Traffic } from '../../domain/traffic.js';
import {
  appKey,
  hasServers,
  isSplit,
  nameToAsk,
  upstreamName,
  versionHop,
  VERSIONS,
  type VersionName,
} from './edge-upstreams.js';
import { cookieName, headerVariable, literally } from './edge-values.js';

/** Tells the second hop whose request it is. */
export const APP_HEADER = 'X-FlukeDeploy-App';
const APP_VARIABLE = '$http_x_flukedeploy_app';
/** Each request of an app with a canary is one JSON object under this name on the container's output. */
export const REQUEST_LINE = 'flukedeploy_request';
/** Says who a visitor is, for as long as the browser keeps it. */
const VISITOR_COOKIE = 'flukedeploy_visitor';
const VISITOR_SECONDS = 30 * 24 * 3600;
/** Empty for a visitor who has the cookie: nginx then sets none. */
export const SET_VISITOR_COOKIE = '$fd_set_visitor_cookie';

/** Variables cannot hold `-`. As no name begins or ends with it, a single `_` only ever stands between app and environment. */
const variable = (prefix: string, traffic: Traffic): string => `$fd_${prefix}_${appKey(traffic).replaceAll('-', '__')}`;

/** Holds the name of the group that gets the request. */
export const routeVariable = (traffic: Traffic): string => variable('route', traffic);

/** Gives each request of the app to a version: first by header and cookie, then by visitor or in turn. */
export function canaryMaps(traffic: Traffic, canary: Canary): string[] {
  const matched = canary.match.map((_, index) => variable(`match${index}`, traffic));
  return [
    ...canary.match.flatMap((match, index) => matchMap(match, matched[index] ?? '')),
    ...visitorLots(traffic, canary),
    `map "${matched.join('')}" ${routeVariable(traffic)} {`,
    `  default ${share(traffic, canary)};`,
    `  ~1 ${versionHop('canary')};`,
    '}',
  ];
}

/** As regular expressions, because what `map` compares as text it compares without regard to case. */
function matchMap(match: CanaryMatch, target: string): string[] {
  const [source, expression] =
    'header' in match
      ? [headerVariable(match.header), `^${literally(match.value)}\\z`]
      : [
          '$http_cookie',
          `(?:^|;)\\x20*${literally(cookieName(match.cookie))}=${literally(match.value)}\\x20*(?:;|\\z)`,
        ];
  return [`map ${source} ${target} {`, "  default '';", `  "~${expression}" 1;`, '}'];
}

/** The canary comes first in the scale: a visitor who is below ten percent is below fifty too, and stays with it. */
function visitorLots(traffic: Traffic, { weight, stickiness }: Canary): string[] {
  if (stickiness !== 'cookie' || !isSplit(weight)) return [];
  return [
    `split_clients $fd_visitor ${variable('lot', traffic)} {`,
    `  ${weight}% ${versionHop('canary')};`,
    `  * ${versionHop('stable')};`,
    '}',
  ];
}

function share(traffic: Traffic, { weight, stickiness }: Canary): string {
  if (!isSplit(weight)) return versionHop(weight === 0 ? 'stable' : 'canary');
  return stickiness === 'cookie' ? variable('lot', traffic) : upstreamName(traffic, 'split');
}

/** What all apps with a canary share. */
export function visitorMaps(): string[] {
  const cookie = `$cookie_${VISITOR_COOKIE}`;
  return [
    `map ${cookie} $fd_visitor {`,
    `  default ${cookie};`,
    "  '' $request_id;",
    '}',
    `map ${cookie} ${SET_VISITOR_COOKIE} {`,
    "  default '';",
    `  '' "${VISITOR_COOKIE}=$request_id; Path=/; Max-Age=${VISITOR_SECONDS}; HttpOnly; SameSite=Lax";`,
    '}',
  ];
}

/**
 * The second hop: which group is a version of which app, and whose requests are recorded. All apps are in it, because workers of the
 * configuration before may still send requests of a canary that is over; its version is by now the stable one, or gone.
 */
export function versionMaps(apps: readonly Traffic[]): string[] {
  return [
    ...VERSIONS.flatMap((version) => [
      ...appMap(`$fd_${version}`, apps, (traffic) => versionGroup(traffic, version)),
      ...appMap(`$fd_${version}_name`, apps, (traffic) => nameToAsk(versionBackends(traffic, version))),
    ]),
    // What the stable version answers in the place of a canary says nothing of either.
    ...appMap('$fd_recorded', apps, ({ canary }) => (canary && hasServers([canary.backend]) ? '1' : undefined)),
  ];
}

function appMap(target: string, apps: readonly Traffic[], value: (traffic: Traffic) => string | undefined): string[] {
  const entries = apps.flatMap((traffic) => {
    const found = value(traffic);
    return found === undefined ? [] : [`  ${appKey(traffic)} ${found};`];
  });
  return [`map ${APP_VARIABLE} ${target} {`, "  default '';", ...entries, '}'];
}

/** A canary that is over, or has nothing behind it, is the stable version. */
function versionBackends({ canary, stable }: Traffic, version: VersionName): readonly Backend[] {
  return version === 'canary' && canary && hasServers([canary.backend]) ? [canary.backend] : stable;
}

function versionGroup(traffic: Traffic, version: VersionName): string | undefined {
  const backends = versionBackends(traffic, version);
  if (!hasServers(backends)) return undefined;
  return upstreamName(traffic, backends === traffic.stable ? 'stable' : 'canary');
}

/** One line a request, which begins like nothing else on the container's output. */
export function requestLogs(): string[] {
  return VERSIONS.map(
    (version) =>
      `log_format fd_${version} escape=json '{"${REQUEST_LINE}":{"app":"${APP_VARIABLE}","version":"${version}",` +
      `"status":$status,"seconds":$request_time,"at":$msec}}';`,
  );
}
