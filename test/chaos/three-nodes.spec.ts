/** A Swarm of three machines: replicas everywhere, versions that change without a failed request, and a machine that is lost meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isLeaderless } from '../../src/adapters/docker/docker-failure.js';
import { missing } from '../support/node-machinery.js';
import { SwarmOfThree } from '../support/swarm-of-three.js';
import type { SwarmMachine } from '../support/three-nodes.js';
import { trafficApp } from '../support/traffic-app.js';
import type { TrafficLoad } from '../support/traffic-load.js';
import { until } from '../support/until.js';

/** Swarm notices a lost node after 15 s, and starts its replicas elsewhere. */
const LOSS_MS = 90_000;
/** Longer than the edge waits for a node that is silent: a client that has patience gets its answer. */
const PATIENCE_MS = 25_000;

const CONNECTIONS = 30;

const reason = missing();
const title = 'on three nodes';

(reason === undefined ? describe : describe.skip)(
  reason === undefined ? title : `${title} (skipped: ${reason})`,
  () => {
    const ends: (() => Promise<void>)[] = [];
    let swarm: SwarmOfThree;
    let load: TrafficLoad;
    let lost: SwarmMachine;

    beforeAll(async () => {
      swarm = await SwarmOfThree.start();
      ends.push(() => swarm.remove());
    });
    afterAll(async () => {
      for (const end of ends.reverse()) await end();
    });

    const spec = (version: string, fields: Record<string, unknown> = {}) => ({
      app_name: swarm.app,
      ...trafficApp({ version }),
      image: swarm.image,
      replicas: 3,
      version,
      strategy: 'rolling',
      ...fields,
    });

    /** Of the phase that began with the last mark. */
    function sinceMark() {
      const { phases, failures } = load.report();
      const { name, failed } = phases.at(-1)!;
      return { failed, failures: failures.filter(({ phase }) => phase === name).slice(0, 5) };
    }
    const NO_FAILURE = { failed: 0, failures: [] };

    const newest = async () => (await swarm.services()).at(-1)!;
    const nodesOf = async (service: string) =>
      (await swarm.replicas()).filter((replica) => replica.service === service).map(({ node }) => node);

    /** Exactly the replicas that are asked for run, on these machines, and Swarm and the machines agree about it. */
    async function settles(machines: readonly SwarmMachine[], replicas = 3): Promise<void> {
      const look = async (): Promise<boolean> => {
        const wanted = await swarm.replicas();
        const running = (await Promise.all(machines.map((machine) => swarm.containers(machine)))).flat();
        const isAgreed = wanted.every(
          ({ state, container }) => state === 'running' && running.includes(container ?? ''),
        );
        const isAll = wanted.length === replicas && running.length === replicas;
        return isAgreed && isAll && (await swarm.services()).length === 1;
      };
      await until(
        // A manager that comes back makes the others choose their leader anew, which takes Swarm half a minute at times.
        () => look().catch((error: unknown) => !isLeaderless(error) && Promise.reject(error as Error)),
        `${replicas} replicas of one version run`,
        LOSS_MS,
      );
    }

    it('fetches the image everywhere, and asks every replica how it is', async () => {
      const view = await swarm.client.succeed(spec('v1'));
      expect((await nodesOf(await newest())).sort()).toEqual(['node-1', 'node-2', 'node-3']);
      expect(view.image).toMatch(/^10\.99\.0\.254:5000\/team\/node@sha256:/);
      const entries = await swarm.client.entries(view.deployment_id);
      const healthy = entries.filter(({ message }) => / is healthy$/.test(message)).map(({ message }) => message);
      expect(new Set(healthy).size).toBe(3);
      // What is open to a machine ends with it: WebSockets can only be opened anew.
      load = await swarm.load({
        requests_per_second: 50,
        connections: CONNECTIONS,
        websockets: 0,
        timeout_ms: PATIENCE_MS,
      });
      ends.push(() => load.kill());
    });

    it('fails no request while versions change', async () => {
      load.mark('rolling');
      await swarm.client.succeed(spec('v2'));
      await load.until((version) => version === 'v2');
      expect(sinceMark()).toEqual(NO_FAILURE);
      load.mark('blue_green');
      await swarm.client.succeed(spec('v3', { strategy: { type: 'blue_green', scale_down_delay_seconds: 0 } }));
      await load.until((version) => version === 'v3');
      expect(sinceMark()).toEqual(NO_FAILURE);
      await settles(swarm.nodes.machines);
    });

    it('rolls on elsewhere when a machine is lost on the way', async () => {
      const { deployment_id } = await swarm.client.deploy(spec('v4'));
      const told = (words: string) =>
        until(
          async () => (await swarm.client.messages(deployment_id)).some((message) => message.includes(words)),
          `it says: ${words}`,
          LOSS_MS,
        );
      await told('2 of 3 new replicas take requests');
      const service = await newest();
      const there = (await nodesOf(service)).find((node) => node !== swarm.nodes.first.hostname);
      lost = swarm.nodes.machines.find(({ hostname }) => hostname === there)!;
      load.mark('cut');
      await swarm.nodes.cut(lost);
      await told(`on ${lost.hostname}: where the node is lost, Swarm runs it elsewhere`);
      load.mark('lost');
      expect(await swarm.client.ended(deployment_id, LOSS_MS)).toMatchObject({ status: 'success' });
      await load.until((version) => version === 'v4');
      await settles(swarm.nodes.machines.filter((machine) => machine !== lost));
      expect(await nodesOf(service)).not.toContain(lost.hostname);
      expect(sinceMark()).toEqual(NO_FAILURE);
      // Requests that were under way to the machine, whose answers had begun or which may not be sent twice.
      expect(load.report().phases.find(({ name }) => name === 'cut')!.failed).toBeLessThan(CONNECTIONS);
    });

    it('keeps what it has when the machine comes back', async () => {
      load.mark('return');
      const began = await swarm.replicas();
      await swarm.nodes.rejoin(lost);
      await settles(swarm.nodes.machines);
      expect(await swarm.replicas()).toEqual(began);
      expect(await swarm.containers(lost)).toEqual([]);
      await load.until((version) => version === 'v4', { last_ms: 3_000 });
      expect(sinceMark()).toEqual(NO_FAILURE);
      await swarm.client.succeed(spec('v5'));
      await load.until((version) => version === 'v5');
      expect(sinceMark()).toEqual(NO_FAILURE);
      expect(await nodesOf(await newest())).toContain(lost.hostname);
    });
  },
);
