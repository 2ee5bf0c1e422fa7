/** Where things are inside the edge's container. */

/** A volume: what the edge serves outlives its container, and serves again without FlukeDeploy. */
export const EDGE_FOLDER = '/etc/nginx/flukedeploy';
export const LIVE_FILE = 'live.conf';
export const PREVIOUS_FILE = 'previous.conf';
export const CERTIFICATE_FOLDER = 'certificates';

/** Ports that are not published: for FlukeDeploy, which reaches the container's own address. */
export const CONTROL_PORT = 8079;
export const TUNNEL_PORT = 8078;
