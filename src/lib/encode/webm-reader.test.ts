import { expect, test } from 'vitest';
import { concatBytes, fromHex, toHex } from '../util/bytes.ts';
import { WebmReader, writeCluster, type WebmBlock } from './webm-reader.ts';

const hex = (text: string) => fromHex(text.replace(/\s/g, ''))!;

const EBML = '1a45dfa3 84 42868101';
const TRACKS = '1654ae6b 90 ae86 d78101 838101 ae86 d78102 838102';
const HEADER = hex(`${EBML} 18538067 01ffffffffffffff ${TRACKS}`);
/** A cluster of unknown size at 1000 ms: key frame, sound 10 ms later, and a delta frame in a group. */
const CLUSTER = hex(`1f43b675 01ffffffffffffff e78203e8
	a386 81 0000 80 aabb
	a385 82 000a 80 cc
	a08a a185 81 0021 00 dd fb81df`);

function read(bytes: Uint8Array, chunk: number): { reader: WebmReader; blocks: WebmBlock[] } {
	const reader = new WebmReader();
	const blocks: WebmBlock[] = [];
	for (let at = 0; at < bytes.length; at += chunk) {
		blocks.push(...reader.push(bytes.subarray(at, at + chunk)));
	}
	return { reader, blocks };
}

test.each([1, 7, 1000])('a recording that comes in pieces of %d bytes is taken apart', (chunk) => {
	const { reader, blocks } = read(concatBytes(HEADER, CLUSTER), chunk);
	expect(toHex(reader.header!)).toBe(toHex(HEADER));
	expect(blocks.map(({ data, ...rest }) => ({ ...rest, data: toHex(data) }))).toEqual([
		{ track: 1, isVideo: true, isKey: true, timeMs: 1000, data: 'aabb' },
		{ track: 2, isVideo: false, isKey: true, timeMs: 1010, data: 'cc' },
		{ track: 1, isVideo: true, isKey: false, timeMs: 1033, data: 'dd' },
	]);
});

test('there is no header before the first cluster', () => {
	expect(read(HEADER, 1000).reader.header).toBeUndefined();
});

test('blocks make a cluster with exactly these bytes', () => {
	const { blocks } = read(concatBytes(HEADER, CLUSTER), 1000);
	const expected = hex(`1f43b675 0100000000000037
		e7 0100000000000008 0000000000001388
		a3 0100000000000006 81 0000 80 aabb
		a3 0100000000000005 82 000a 80 cc
		a3 0100000000000005 81 0021 00 dd`);
	expected[11] = expected.length - 12;
	expect(toHex(writeCluster(blocks, 4000))).toBe(toHex(expected));
});

test('what is written is read back the same, moved in time', () => {
	const { blocks } = read(concatBytes(HEADER, CLUSTER), 1000);
	const again = read(concatBytes(HEADER, writeCluster(blocks, 4000)), 5).blocks;
	expect(again).toEqual(blocks.map((block) => ({ ...block, timeMs: block.timeMs + 4000 })));
});

test.each([
	['bytes that begin with no id', '00ff'],
	['an element of a gigabyte', '1a45dfa3 08 40000000'],
])('%s are refused', (_, bytes) => {
	expect(() => new WebmReader().push(hex(bytes))).toThrow();
});
