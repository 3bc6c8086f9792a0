import { Registry, collectDefaultMetrics } from 'prom-client';
import type { Metric } from 'prom-client';

import type { Histogram } from '../core/tally.ts';
import type { Tracker } from '../core/tracker.ts';
import type { Sockets } from '../socket/sockets.ts';

/** What the metrics are read from. */
export interface MetricSources {
	readonly tracker: Tracker;
	readonly sockets: Sockets;
	readonly bus: BusFigures | undefined;
}

/** What the cluster has counted. */
export interface BusFigures {
	readonly up: boolean;
	readonly messages: Readonly<Record<string, number>>;
	readonly dropped: number;
	readonly latency: Histogram;
}

interface Sample {
	readonly value: number;
	readonly labels?: Readonly<Record<string, string | number>>;
	/** Series name where it differs from the metric's: histograms. */
	readonly metricName?: string;
}

interface Family {
	readonly name: string;
	readonly help: string;
	readonly type: 'counter' | 'gauge' | 'histogram';
	readonly samples: () => Sample[];
}

/**
 * The registry behind `/metrics`. Everything is counted where it happens and only read here; no
 * label ever names a torrent, a peer or an address.
 */
export function metricsRegistry(sources: MetricSources): Registry {
	const registry = new Registry();
	collectDefaultMetrics({ register: registry });
	for (const family of [...families(sources), ...busFamilies(sources.bus)]) {
		registry.registerMetric(readMetric(family));
	}
	return registry;
}

function families({ tracker, sockets }: MetricSources): Family[] {
	const { tally } = tracker;
	const inOut = (dir: string, counts: Readonly<Record<string, number | undefined>>) =>
		labelled('type', counts).map((sample) => ({ ...sample, labels: { dir, ...sample.labels } }));
	return [
		gauge('tracker_connections', 'Open WebSocket connections', () => sockets.size),
		counter('tracker_connections_rejected_total', 'Upgrades refused', () =>
			labelled('reason', sockets.rejected),
		),
		counter('tracker_closed_total', 'Connections ended', () => labelled('reason', sockets.ended)),
		counter('tracker_messages_total', 'Messages read and written', () => [
			...inOut('in', tally.messagesIn),
			...inOut('out', tally.messagesOut),
		]),
		counter('tracker_bytes_total', 'Characters of messages read and written', () => [
			{ labels: { dir: 'in' }, value: tally.bytesIn },
			{ labels: { dir: 'out' }, value: tally.bytesOut },
		]),
		counter('tracker_invalid_total', 'Messages refused as malformed', () =>
			labelled('reason', tally.invalid),
		),
		counter('tracker_flooded_total', 'Messages dropped unread', () => [{ value: tally.flooded }]),
		counter('tracker_refused_total', 'Announces refused', () => labelled('reason', tally.refused)),
		gauge('tracker_swarms', 'Swarms', () => tracker.swarms.size),
		{
			name: 'tracker_peers',
			help: 'Peers by whether they have everything',
			type: 'gauge',
			samples: () => peersByRole(tracker),
		},
		gauge('tracker_largest_swarm_peers', 'Peers of the largest swarm', () => largestSwarm(tracker)),
		counter('tracker_offers_total', 'Offers by what became of them', () =>
			labelled('result', tally.offers),
		),
		counter('tracker_answers_total', 'Answers by what became of them', () =>
			labelled('result', tally.answers),
		),
		histogram('tracker_offer_answer_seconds', 'Offer relayed to answer relayed', tally.offerAnswer),
		histogram('tracker_announce_seconds', 'Time spent on one announce', tally.announce),
		{
			name: 'tracker_send_queue_bytes',
			help: 'Bytes waiting for slow readers',
			type: 'gauge',
			samples: () => {
				const { longest, total } = sockets.queues();
				return [
					{ labels: { of: 'longest' }, value: longest },
					{ labels: { of: 'all' }, value: total },
				];
			},
		},
	];
}

function busFamilies(bus: BusFigures | undefined): Family[] {
	if (!bus) return [];
	return [
		gauge('tracker_bus_up', 'Whether the bus is connected', () => (bus.up ? 1 : 0)),
		counter('tracker_bus_messages_total', 'Messages over the bus', () =>
			labelled('type', bus.messages),
		),
		counter('tracker_bus_dropped_total', 'Messages the bus did not take', () => [
			{ value: bus.dropped },
		]),
		histogram('tracker_bus_latency_seconds', 'Heartbeat sent to heartbeat read', bus.latency),
	];
}

function gauge(name: string, help: string, read: () => number): Family {
	return { name, help, type: 'gauge', samples: () => [{ value: read() }] };
}

function counter(name: string, help: string, samples: () => Sample[]): Family {
	return { name, help, type: 'counter', samples };
}

function histogram(name: string, help: string, source: Histogram): Family {
	return { name, help, type: 'histogram', samples: () => bucketSamples(name, source) };
}

function bucketSamples(name: string, source: Histogram): Sample[] {
	let seen = 0;
	const buckets = source.bounds.map((le, i) => {
		seen += source.counts[i] ?? 0;
		return { metricName: `${name}_bucket`, labels: { le }, value: seen };
	});
	return [
		...buckets,
		{ metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: source.count },
		{ metricName: `${name}_sum`, value: source.sum },
		{ metricName: `${name}_count`, value: source.count },
	];
}

function labelled(label: string, counts: Readonly<Record<string, number | undefined>>): Sample[] {
	return Object.entries(counts).map(([key, value = 0]) => ({ labels: { [label]: key }, value }));
}

function peersByRole(tracker: Tracker): Sample[] {
	return [
		{ labels: { role: 'seeder' }, value: tracker.seederCount },
		{ labels: { role: 'leecher' }, value: tracker.peerCount - tracker.seederCount },
	];
}

/** Peers of the largest swarm. */
export function largestSwarm(tracker: Tracker): number {
	let largest = 0;
	for (const swarm of tracker.swarms.values()) largest = Math.max(largest, swarm.size);
	return largest;
}

/** A metric in prom-client's eyes that reads its values when it is asked. */
function readMetric({ name, help, type, samples }: Family): Metric {
	const get = () =>
		Promise.resolve({
			name,
			help,
			type,
			aggregator: 'sum',
			values: samples().map((sample) => ({ labels: {}, ...sample })),
		});
	return { name, help, type, get, reset: () => undefined } as unknown as Metric;
}
