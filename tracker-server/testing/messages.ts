import type { Json } from './raw-client.ts';

/** A wire id of 20 characters that begins with `name`. */
export function wireId(name: string): string {
	return name.padEnd(20, '.').slice(0, 20);
}

/** A data-channel SDP of about `chars` characters, like a browser's. */
export function sampleSdp(candidates = 2, chars = 0): string {
	const lines = [
		'v=0',
		'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
		's=-',
		't=0 0',
		'a=group:BUNDLE 0',
		'a=msid-semantic: WMS',
		'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
		'c=IN IP4 0.0.0.0',
	];
	for (let i = 0; i < candidates; i++) {
		lines.push(
			`a=candidate:${842163049 + i} 1 udp 1677729535 192.0.2.${i % 250} ${40000 + i} typ srflx raddr 0.0.0.0 rport 0 generation 0`,
		);
	}
	lines.push(
		'a=ice-ufrag:8hhY',
		'a=ice-pwd:asd88fgpdd777uzjYhagZgvv',
		`a=fingerprint:sha-256 ${'7B:8B:F0:65:5F:78:E2:51:'.repeat(4).slice(0, -1)}`,
		'a=setup:actpass',
		'a=mid:0',
		'a=sctp-port:5000',
		'a=max-message-size:262144',
		'',
	);
	const sdp = lines.join('\r\n');
	const filler = chars - sdp.length - 4;
	return filler > 0 ? `${sdp}a=${'x'.repeat(filler)}\r\n` : sdp;
}

/** An announce as the stock client sends it. */
export function announceMessage(infoHash: string, peerId: string, fields: Json = {}): Json {
	return {
		action: 'announce',
		info_hash: infoHash,
		peer_id: peerId,
		numwant: 5,
		uploaded: 0,
		downloaded: 0,
		left: 1,
		event: 'started',
		offers: [],
		...fields,
	};
}

/** `count` offers with ids that begin with `name`. */
export function sampleOffers(name: string, count: number, sdp = sampleSdp()): Json[] {
	return Array.from({ length: count }, (_, i) => ({
		offer_id: wireId(`${name}${i}`),
		offer: { type: 'offer', sdp },
	}));
}

/** The answer to a relayed offer. */
export function answerTo(offer: Json, peerId: string, fields: Json = {}): Json {
	return {
		action: 'announce',
		info_hash: offer.info_hash,
		peer_id: peerId,
		to_peer_id: offer.peer_id,
		offer_id: offer.offer_id,
		answer: { type: 'answer', sdp: sampleSdp() },
		...fields,
	};
}
