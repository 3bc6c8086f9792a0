// The load: many peers of one swarm in one process, driven over IPC. Open loop: announces go out by
// the clock, whether or not the tracker keeps up.
import { announceMessage, sampleSdp } from '../tracker-server/testing/messages.ts';
import { clientFrame, LoadSocket } from './tracker-frames.ts';

export type LoadRequest =
	| {
			readonly type: 'open';
			/** Peers are spread over these ports in turn. */
			readonly ports: readonly number[];
			readonly count: number;
			readonly infoHash: string;
			/** Connections opened a second. */
			readonly rate: number;
			readonly shoal: boolean;
	  }
	| {
			readonly type: 'announce';
			readonly rate: number;
			readonly seconds: number;
			readonly offers: number;
			readonly answered: number;
			/** Share of peers that leave and come back per minute. */
			readonly churn: number;
	  }
	/** One more peer, which reads nothing from now on. */
	| { readonly type: 'stop-reading' }
	| { readonly type: 'close' };

export interface Latencies {
	readonly count: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
}

export type LoadReply =
	| { readonly type: 'opened'; readonly joined: number }
	| {
			readonly type: 'announced';
			readonly sent: number;
			readonly seconds: number;
			readonly offers: number;
			readonly answersSent: number;
			readonly answers: number;
			/** Announce written → offer read by the other peer. */
			readonly offerMs: Latencies;
			/** Answer written → answer read, both peers on one node. */
			readonly answerMs: Latencies;
			/** The same with the peers on two nodes. */
			readonly answerAcrossMs: Latencies;
	  }
	| { readonly type: 'stopped-reading' }
	| { readonly type: 'closed' };

const answerDelayMs = 300;
const say = (reply: LoadReply): void => void process.send?.(reply);

const peers: LoadSocket[] = [];
const node: number[] = [];
/** When each peer's last announce was written, and when answers to its offers were. */
const announcedAt: number[] = [];
const answeredAt = new Map<string, { atMs: number; across: boolean }>();
let infoHash = '';
let ports: readonly number[] = [];
let shoal = false;
let joined = 0;
let offersSeen = 0;
let answersSent = 0;
let answersSeen = 0;
let answeredShare = 0;
let offerTimes: number[] = [];
let answerTimes: number[] = [];
let acrossTimes: number[] = [];
const due: { atMs: number; from: LoadSocket; frame: Buffer; key: string; across: boolean }[] = [];
let onJoined: () => void = () => undefined;
let serial = 0;

const answerSdp = JSON.stringify(sampleSdp(8, 1_300));
const offerTemplate = offerBytes();

process.on('message', (request: LoadRequest) => {
	void handle(request);
});

async function handle(request: LoadRequest): Promise<void> {
	switch (request.type) {
		case 'open':
			infoHash = request.infoHash;
			ports = request.ports;
			shoal = request.shoal;
			await openPeers(request.count, request.rate);
			return say({ type: 'opened', joined });
		case 'announce':
			return announce(request);
		case 'stop-reading':
			peers[0]?.socket.pause();
			return say({ type: 'stopped-reading' });
		case 'close':
			for (const peer of peers.splice(0)) peer.socket.destroy();
			joined = 0;
			return say({ type: 'closed' });
	}
}

/** Half of the bytes of a real id are above 0x7f. */
function realId(name: string): string {
	return name.padEnd(20, 'é');
}

function peerIdOf(index: number): string {
	return realId(`p${String(index).padStart(7, '0')}-`);
}

function textFrame(text: string): Buffer {
	return clientFrame(Buffer.from(text));
}

async function openPeers(count: number, rate: number): Promise<void> {
	const beganMs = performance.now();
	const first = peers.length;
	while (peers.length - first < count) {
		const shouldBe = Math.min(count, Math.ceil(((performance.now() - beganMs) / 1000) * rate));
		while (peers.length - first < shouldBe) openPeer(peers.length);
		await pause(5);
	}
	const deadlineMs = performance.now() + 30_000;
	await new Promise<void>((resolve) => {
		onJoined = () => {
			if (joined >= peers.length) resolve();
		};
		onJoined();
		setTimeout(resolve, deadlineMs - performance.now());
	});
}

function openPeer(index: number): void {
	const port = ports[index % ports.length] ?? 0;
	node[index] = index % ports.length;
	// One loopback address has 28,000 ports; several have several times that.
	const localAddress = `127.0.1.${1 + (Math.floor(index / 5_000) % 250)}`;
	peers[index] = new LoadSocket(
		index,
		{ port, host: '127.0.0.1', localAddress },
		{
			onOpen: (socket) => {
				const hello = announceMessage(
					infoHash,
					peerIdOf(index),
					shoal ? { shoal: { hop: index % 8, slots: 3 } } : {},
				);
				socket.socket.write(textFrame(JSON.stringify(hello)));
			},
			onText,
			onClose: () => undefined,
		},
	);
}

const marks = {
	peerId: Buffer.from('"peer_id":"'),
	offerId: Buffer.from('"offer_id":"'),
	answer: Buffer.from('"answer":{'),
	offer: Buffer.from('"offer":{'),
	interval: Buffer.from('"interval"'),
};
const seen = new WeakSet<LoadSocket>();

function onText(to: LoadSocket, payload: Buffer): void {
	const peerAt = payload.lastIndexOf(marks.peerId);
	if (peerAt < 0) {
		if (payload.indexOf(marks.interval) >= 0 && !seen.has(to)) {
			seen.add(to);
			joined += 1;
			onJoined();
		}
		return;
	}
	const from = Number(payload.toString('latin1', peerAt + 12, peerAt + 19));
	const offerAt = payload.lastIndexOf(marks.offerId);
	const offerId = payload.toString('utf8', offerAt + 12, payload.indexOf('"', offerAt + 12));
	if (payload.indexOf(marks.answer) >= 0) {
		answersSeen += 1;
		const sent = answeredAt.get(offerId);
		if (!sent) return;
		answeredAt.delete(offerId);
		(sent.across ? acrossTimes : answerTimes).push(performance.now() - sent.atMs);
		return;
	}
	offersSeen += 1;
	const nowMs = performance.now();
	const since = announcedAt[from];
	if (since !== undefined) offerTimes.push(nowMs - since);
	if (Math.random() >= answeredShare) return;
	const peerId = payload.toString('utf8', peerAt + 10, payload.indexOf('"', peerAt + 11) + 1);
	const text = `{"action":"announce","info_hash":${JSON.stringify(infoHash)},"peer_id":"${peerIdOf(to.index)}","to_peer_id":${peerId},"offer_id":"${offerId}","answer":{"type":"answer","sdp":${answerSdp}}}`;
	const across = node[from] !== node[to.index];
	due.push({
		atMs: nowMs + answerDelayMs,
		from: to,
		frame: textFrame(text),
		key: offerId,
		across,
	});
}

function offerBytes(): string {
	return JSON.stringify({ type: 'offer', sdp: sampleSdp(8, 1_300) });
}

function announceFrame(index: number, offers: number): Buffer {
	const items: string[] = [];
	for (let i = 0; i < offers; i++) {
		items.push(`{"offer":${offerTemplate},"offer_id":"${realId(`o${(serial++).toString(36)}-`)}"}`);
	}
	const hints = shoal ? `,"shoal":{"hop":${index % 8},"slots":3}` : '';
	return textFrame(
		`{"numwant":${offers},"uploaded":0,"downloaded":0,"left":1,"action":"announce","info_hash":${JSON.stringify(infoHash)},"peer_id":"${peerIdOf(index)}","offers":[${items.join(',')}]${hints}}`,
	);
}

async function announce(request: Extract<LoadRequest, { type: 'announce' }>): Promise<void> {
	answeredShare = request.answered;
	offersSeen = answersSent = answersSeen = 0;
	[offerTimes, answerTimes, acrossTimes] = [[], [], []];
	answeredAt.clear();
	const beganMs = performance.now();
	const churnPerSecond = (request.churn * peers.length) / 60;
	let sent = 0;
	let churned = 0;
	for (;;) {
		const elapsedS = (performance.now() - beganMs) / 1000;
		sendAnswers();
		if (elapsedS >= request.seconds) break;
		for (const target = Math.floor(elapsedS * request.rate); sent < target; sent++) {
			const index = Math.floor(Math.random() * peers.length);
			const peer = peers[index];
			if (!peer?.open || peer.socket.isPaused()) continue;
			const frame = announceFrame(index, request.offers);
			announcedAt[index] = performance.now();
			peer.socket.write(frame);
		}
		for (const target = Math.floor(elapsedS * churnPerSecond); churned < target; churned++) {
			const index = Math.floor(Math.random() * peers.length);
			peers[index]?.socket.destroy();
			openPeer(index);
		}
		await pause(1);
	}
	const seconds = (performance.now() - beganMs) / 1000;
	const deadlineMs = performance.now() + 1_500;
	while (performance.now() < deadlineMs) {
		sendAnswers();
		await pause(5);
	}
	say({
		type: 'announced',
		sent,
		seconds,
		offers: offersSeen,
		answersSent,
		answers: answersSeen,
		offerMs: latencies(offerTimes),
		answerMs: latencies(answerTimes),
		answerAcrossMs: latencies(acrossTimes),
	});
}

function sendAnswers(): void {
	const nowMs = performance.now();
	let ready = 0;
	while (ready < due.length && (due[ready]?.atMs ?? Infinity) <= nowMs) {
		const answer = due[ready++];
		if (!answer || answer.from.socket.destroyed) continue;
		answeredAt.set(answer.key, { atMs: performance.now(), across: answer.across });
		answer.from.socket.write(answer.frame);
		answersSent += 1;
	}
	if (ready > 0) due.splice(0, ready);
}

function latencies(times: number[]): Latencies {
	const sorted = Float64Array.from(times).sort();
	const at = (q: number) =>
		sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN;
	return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function pause(ms: number): Promise<void> {
	return new Promise((resolve) => {
		setTimeout(resolve, ms);
	});
}
