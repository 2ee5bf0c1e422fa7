/** Which nginx the edge is. Nothing else may stand in this file: the image of the tests takes its name from here. */

/** From 1.27.4 on a reload loses no connection (`keepalive_min_timeout`), and upstreams follow DNS (`resolve`). */
export const EDGE_IMAGE = 'nginx:1.30';
