import { TokenBucket } from '../core/token-bucket.ts';

export interface GateOptions {
	/** Connections in all. */
	readonly connections: number;
	/** Connections of one address. */
	readonly connectionsPerAddress: number;
	/** New connections of one address: rate and burst. */
	readonly upgradesPerSecond: number;
	readonly upgradeBurst: number;
	/** New connections in all, so that a reconnect storm comes in at a pace. */
	readonly totalUpgradesPerSecond: number;
	/** Origins that may connect; empty lets all in. Clients outside browsers send none. */
	readonly origins: readonly string[];
}

/** The gate an operator gets who sets nothing. */
export const defaultGate: GateOptions = {
	connections: 100_000,
	connectionsPerAddress: 50,
	upgradesPerSecond: 5,
	upgradeBurst: 50,
	totalUpgradesPerSecond: 2_000,
	origins: [],
};

export type RejectReason =
	| 'draining'
	| 'path'
	| 'origin'
	| 'banned'
	| 'full'
	| 'address'
	| 'rate'
	| 'storm'
	| 'token'
	| 'handshake';

/** Addresses remembered at most; a flood of them forgets the oldest. */
const mostAddresses = 100_000;

/** Decides who may open a connection, before anything is spent on it. */
export class UpgradeGate {
	readonly #options: GateOptions;
	readonly #open = new Map<string, number>();
	readonly #buckets = new Map<string, TokenBucket>();
	readonly #bannedUntilMs = new Map<string, number>();
	readonly #total: TokenBucket;
	#connections = 0;
	/** Connections of an address on other nodes. */
	elsewhere: ((addressKey: string) => number) | undefined;

	constructor(options: GateOptions, nowMs: number) {
		this.#options = options;
		this.#total = new TokenBucket(options.totalUpgradesPerSecond, nowMs);
	}

	/** Why not, or undefined to let it in. */
	refusal(addressKey: string, origin: string | undefined, nowMs: number): RejectReason | undefined {
		const options = this.#options;
		if (this.isBanned(addressKey, nowMs)) return 'banned';
		const { origins } = options;
		if (origins.length > 0 && (origin === undefined || !origins.includes(origin))) return 'origin';
		if (this.#connections >= options.connections) return 'full';
		const open = (this.#open.get(addressKey) ?? 0) + (this.elsewhere?.(addressKey) ?? 0);
		if (open >= options.connectionsPerAddress) return 'address';
		const bucket = this.#bucket(addressKey, nowMs);
		if (!bucket.take(options.upgradesPerSecond, options.upgradeBurst, nowMs)) return 'rate';
		const { totalUpgradesPerSecond: total } = options;
		if (!this.#total.take(total, total, nowMs)) return 'storm';
		return undefined;
	}

	enter(addressKey: string): void {
		this.#connections += 1;
		this.#open.set(addressKey, (this.#open.get(addressKey) ?? 0) + 1);
	}

	leave(addressKey: string): void {
		this.#connections -= 1;
		const open = (this.#open.get(addressKey) ?? 1) - 1;
		if (open > 0) this.#open.set(addressKey, open);
		else this.#open.delete(addressKey);
	}

	ban(addressKey: string, untilMs: number): void {
		if (this.#bannedUntilMs.size >= mostAddresses) deleteOldest(this.#bannedUntilMs);
		this.#bannedUntilMs.set(addressKey, untilMs);
	}

	isBanned(addressKey: string, nowMs: number): boolean {
		const untilMs = this.#bannedUntilMs.get(addressKey);
		if (untilMs === undefined) return false;
		if (untilMs > nowMs) return true;
		this.#bannedUntilMs.delete(addressKey);
		return false;
	}

	/** Banned addresses, and for how long still. */
	*bans(nowMs: number): Iterable<readonly [string, number]> {
		for (const [key, untilMs] of this.#bannedUntilMs) {
			if (untilMs > nowMs) yield [key, untilMs - nowMs];
		}
	}

	/** Addresses with at least `least` connections here. */
	*crowded(least: number): Iterable<readonly [string, number]> {
		for (const entry of this.#open) if (entry[1] >= least) yield entry;
	}

	/** Forgets addresses whose budget is whole again. */
	sweep(nowMs: number): void {
		const { upgradesPerSecond, upgradeBurst } = this.#options;
		for (const [key, bucket] of this.#buckets) {
			bucket.refill(upgradesPerSecond, upgradeBurst, nowMs);
			if (bucket.tokens >= upgradeBurst) this.#buckets.delete(key);
		}
		for (const [key, untilMs] of this.#bannedUntilMs) {
			if (untilMs <= nowMs) this.#bannedUntilMs.delete(key);
		}
	}

	#bucket(addressKey: string, nowMs: number): TokenBucket {
		const known = this.#buckets.get(addressKey);
		if (known) return known;
		if (this.#buckets.size >= mostAddresses) deleteOldest(this.#buckets);
		const bucket = new TokenBucket(this.#options.upgradeBurst, nowMs);
		this.#buckets.set(addressKey, bucket);
		return bucket;
	}
}

function deleteOldest<T>(map: Map<string, T>): void {
	for (const key of map.keys()) {
		map.delete(key);
		return;
	}
}
