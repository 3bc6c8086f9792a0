import {
	ALL_FORMATS,
	BufferSource,
	BufferTarget,
	EncodedAudioPacketSource,
	EncodedPacket,
	Input,
	Output,
	WebMOutputFormat,
} from 'mediabunny';
import { expect, test } from 'vitest';
import { concatBytes } from '../util/bytes.ts';
import { openMedia } from './remux-file.ts';

const PACKET_S = 0.02;

/** A file of sound, `lengthS` long, whose times begin at `fromS`. */
async function soundFile(fromS: number, lengthS: number): Promise<Uint8Array> {
	const target = new BufferTarget();
	const output = new Output({ format: new WebMOutputFormat(), target });
	const source = new EncodedAudioPacketSource('opus');
	output.addAudioTrack(source);
	await output.start();
	for (let i = 0; i < lengthS / PACKET_S; i++) {
		const packet = new EncodedPacket(
			new Uint8Array([0xfc, 0xff, 0xfe]),
			'key',
			fromS + i * PACKET_S,
			PACKET_S,
		);
		await source.add(packet, {
			decoderConfig: { codec: 'opus', sampleRate: 48_000, numberOfChannels: 2 },
		});
	}
	await output.finalize();
	return new Uint8Array(target.buffer!);
}

async function opened(file: Uint8Array) {
	return openMedia(
		{
			lengthBytes: file.length,
			read: (start, length) => Promise.resolve(file.subarray(start, start + length)),
		},
		() => true,
	);
}

/** When what was made begins and ends, seconds. */
async function spanOf(media: Awaited<ReturnType<typeof opened>>, fromS: number) {
	const made: Uint8Array[] = [];
	for await (const part of media.parts(fromS, new AbortController().signal)) made.push(part);
	const input = new Input({ source: new BufferSource(concatBytes(...made)), formats: ALL_FORMATS });
	return { startS: await input.getFirstTimestamp(), endS: await input.computeDuration() };
}

test.each([0, 65])('media whose times begin at %i s is played from 0', async (fromS) => {
	const media = await opened(await soundFile(fromS, 4));
	expect(media.durationS).toBeCloseTo(4, 1);
	const whole = await spanOf(media, 0);
	expect(whole.startS).toBeCloseTo(0, 2);
	expect(whole.endS).toBeCloseTo(4, 1);
	const rest = await spanOf(media, 3);
	expect(rest.startS).toBeCloseTo(3, 1);
	media.close();
});
