/** The strategies, each told in the order in which it happens. Every step may be run again after a crash. */
import { DeployError } from '../../../domain/errors.js';
import { previewConflict } from '../../../domain/host-names.js';
import { strategyConflict } from '../../../domain/preflight.js';
import { mixed, nextWave, previewed } from '../../../domain/rollout-plan.js';
import type { BlueGreenStrategy, RollingStrategy } from '../../../domain/strategy.js';
import { canary } from './canary.js';
import type { Rollout } from './rollout.js';

/** Going back is urgent: every replica that is ready takes its share at once, and nothing is analysed. */
const AT_ONCE: RollingStrategy = { type: 'rolling', max_surge: '100%', max_unavailable: 0 };
const RESTART: RollingStrategy = { type: 'rolling', max_surge: '25%', max_unavailable: 0 };

/** Brings the new version into the traffic; afterwards it answers all requests, and the one before still runs. */
export async function rollOut(rollout: Rollout): Promise<void> {
  const { strategy } = rollout.config;
  const { kind } = rollout.session.state.identity;
  await rollout.edgeRuns();
  // Nothing goes back to the version before only because this worker is another one.
  if (rollout.hasSwitched) return begin(rollout);
  if (rollout.adopted) return adopt(rollout);
  if (rollout.isExclusive) return stopFirst(rollout);
  if (rollout.before.length === 0) return begin(rollout);
  if (kind === 'rollback') return rolling(rollout, AT_ONCE);
  if (kind === 'restart') return rolling(rollout, RESTART);
  switch (strategy.type) {
    case 'rolling':
      return rolling(rollout, strategy);
    case 'blue_green':
      return blueGreen(rollout, strategy);
    case 'canary':
      return canary(rollout, strategy);
  }
}

/** There is nothing to replace, or nothing more. */
async function begin(rollout: Rollout): Promise<void> {
  await rollout.step(0, `Starting ${rollout.desired.name}`);
  await rollout.takeOver();
}

/** A service that runs just this becomes the new version; replicas that are added prove themselves first. */
async function adopt(rollout: Rollout): Promise<void> {
  await rollout.step(0, `${rollout.desired.name} runs just this: no replica is replaced`);
  if (rollout.isExclusive && !rollout.isLive) await handOver(rollout);
  const { running, fresh } = await rollout.look();
  if (rollout.isLive && fresh < rollout.wanted && running.length > 0 && rollout.session.state.traffic === undefined) {
    const known = mixed(rollout.traffic, [], rollout.backend(running));
    await rollout.shift(known, `Requests stay with ${running.length} replicas while others are added`);
  }
  await rollout.takeOver();
}

/** A volume has one writer and a host port one holder: the version before must be gone. */
async function stopFirst(rollout: Rollout): Promise<void> {
  const conflict = strategyConflict(rollout.config, rollout.config.strategy.type);
  if (conflict !== undefined) throw new DeployError('strategy_unsupported', conflict);
  await rollout.step(0, `Replacing the replicas of ${rollout.place}: old first, then new`);
  await handOver(rollout);
  await rollout.takeOver();
}

async function handOver(rollout: Rollout): Promise<void> {
  if (rollout.before.length === 0) return;
  rollout.session.log('warn', 'Volumes and host ports have one holder at a time: a short downtime begins');
  await rollout.scaleBefore(0);
  await rollout.goneBefore();
}

/** In waves: new replicas prove themselves and take requests before as many old ones go. */
async function rolling(rollout: Rollout, strategy: RollingStrategy): Promise<void> {
  const { wanted } = rollout;
  await rollout.step(0, `Rolling ${rollout.desired.name} out: ${wanted} replicas in waves`);
  await rollout.scaleFresh(
    nextWave({ strategy, wanted, before: await rollout.replicasBefore(), fresh: 0, ready: 0 }).fresh,
  );
  let served = '';
  let most = 0;
  let since = rollout.clock();
  await rollout.watch(async (look) => {
    const { fresh, ready, running } = look;
    if (ready.length > most) {
      most = ready.length;
      since = rollout.clock();
    }
    // Not only more of them: one may also be lost with its node, and another take its place.
    const those = ready
      .map(({ id }) => id)
      .sort()
      .join();
    if (those !== served && ready.length < wanted) {
      served = those;
      const summary = `${ready.length} of ${wanted} new replicas take requests`;
      await rollout.shift(mixed(rollout.traffic, rollout.before, rollout.backend(ready)), summary);
    }
    if (ready.length >= wanted && running.length === fresh) return true;
    if (rollout.isOverdue(look, since)) throw rollout.tooLate(look, wanted);
    const before = await rollout.replicasBefore();
    const wave = nextWave({ strategy, wanted, before, fresh, ready: ready.length });
    if (wave.before < before) await rollout.scaleBefore(wave.before);
    if (wave.fresh > fresh) await rollout.scaleFresh(wave.fresh);
    return false;
  });
  await rollout.switchOver();
}

/** The whole new set beside the old one, and one switch. */
async function blueGreen(rollout: Rollout, strategy: BlueGreenStrategy): Promise<void> {
  // Orders that waited together may have come to this one after the other.
  const conflict = previewConflict(rollout.config, rollout.traffic.hosts);
  if (conflict) throw conflict;
  await rollout.step(0, `Starting ${rollout.desired.name} beside the version before`);
  await rollout.scaleFresh(rollout.wanted);
  await rollout.gated(rollout.wanted);
  if (strategy.preview_host !== undefined) {
    const preview = previewed(rollout.traffic, strategy.preview_host, rollout.backend());
    await rollout.shift(preview, `${rollout.desired.name} shows itself at ${strategy.preview_host}`, {
      serving: false,
    });
  }
  if (!strategy.auto_promote) {
    await rollout.waitForPromotion(0, 'the new version is ready; the switch waits for promote');
  }
  await rollout.switchOver();
}
