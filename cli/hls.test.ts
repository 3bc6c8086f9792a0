import { expect, it } from 'vitest';
import type { ReceivedSegment } from '../src/lib/index.ts';
import { HlsChannel, serveHls } from './hls.ts';

function segments(mime: string, durationsS: readonly number[]): ReceivedSegment[] {
	const init = { bytes: new Uint8Array([1, 2, 3]), mime };
	let startUs = 0;
	return durationsS.map((durationS, sequence) => {
		const manifest = {
			epoch: 1,
			sequence,
			startUs,
			durationUs: durationS * 1e6,
			signedAtMs: 1_800_000_000_000 + startUs / 1000,
			initSha256: new Uint8Array(32),
			sinceKeyFrame: 0,
			discontinuity: sequence === 0,
		} as ReceivedSegment['manifest'];
		startUs += durationS * 1e6;
		return { manifest, init, bytes: new Uint8Array([sequence]), receivedAtMs: 0 };
	});
}

async function served(channel: HlsChannel) {
	const server = await serveHls(new Map([['channel', channel]]), '0');
	const get = async (path: string) => {
		const response = await fetch(`${server.url}/${path}`);
		return { status: response.status, text: await response.text() };
	};
	return { ...server, get };
}

it('keeps a window, tells what has gone, and never lowers the target', async () => {
	const channel = new HlsChannel(3_000);
	const { get, close } = await served(channel);
	expect((await get('live.m3u8')).status).toBe(503);
	for (const segment of segments('video/mp4; codecs="avc1"', [4, 1, 1, 1, 1, 1])) {
		channel.add(segment);
	}
	const { status, text } = await get('channel/live.m3u8');
	expect(status).toBe(200);
	expect(text).toContain('#EXT-X-TARGETDURATION:4');
	expect(text).toContain('#EXT-X-MEDIA-SEQUENCE:3');
	expect(text.match(/segment-1-\d+\.m4s/g)).toEqual(
		[3, 4, 5].map((sequence) => `segment-1-${sequence}.m4s`),
	);
	expect(text).not.toContain('ENDLIST');
	channel.end();
	expect((await get('live.m3u8')).text).toContain('#EXT-X-ENDLIST');
	expect((await get('segment-1-4.m4s')).status).toBe(200);
	expect((await get('segment-1-0.m4s')).status).toBe(404);
	await close();
});

it('says what can’t be had as HLS', async () => {
	const channel = new HlsChannel(3_000);
	for (const segment of segments('video/webm; codecs="vp8"', [1])) channel.add(segment);
	const { get, close } = await served(channel);
	expect(await get('live.m3u8')).toMatchObject({
		status: 415,
		text: expect.stringContaining('/stream') as string,
	});
	await close();
});
