import { expect, test } from 'vitest';
import { cameraAsks } from './camera-asks.ts';

/** The first ask that a machine with these devices grants. */
function granted(
	{ cameras, microphones }: { cameras: string[]; microphones: string[] },
	...[wanted]: Parameters<typeof cameraAsks>
) {
	const has = (ids: string[], id: string | undefined) =>
		id === undefined || (id ? ids.includes(id) : ids.length > 0);
	return cameraAsks(wanted).find(
		({ camera, microphone }) => has(cameras, camera) && has(microphones, microphone),
	);
}

const wanted = { camera: 'c', microphone: 'm' };

test.each([
	['what is there is what is opened', ['c', 'd'], ['m', 'n'], { camera: 'c', microphone: 'm' }],
	['a camera that is gone gives way to any', ['d'], ['m', 'n'], { camera: '', microphone: 'm' }],
	['a microphone that is gone too', ['c', 'd'], ['n'], { camera: 'c', microphone: '' }],
	['and both at once', ['d'], ['n'], { camera: '', microphone: '' }],
	['a camera alone keeps its choice', ['c', 'd'], [], { camera: 'c', microphone: undefined }],
	['a microphone alone, too', [], ['m', 'n'], { camera: undefined, microphone: 'm' }],
	['any camera alone is better than nothing', ['d'], [], { camera: '', microphone: undefined }],
	['with no device there is nothing to open', [], [], undefined],
])('%s', (_, cameras, microphones, opened) => {
	expect(granted({ cameras, microphones }, wanted)).toEqual(opened);
});

test('what was not wanted is never opened', () => {
	const machine = { cameras: ['d'], microphones: ['m'] };
	const soundless = { camera: 'c', microphone: undefined };
	expect(granted(machine, soundless)).toEqual({ camera: '', microphone: undefined });
	expect(granted({ ...machine, cameras: [] }, soundless)).toBeUndefined();
});

test('where nothing was chosen nothing is asked twice', () => {
	expect(cameraAsks({ camera: '', microphone: '' })).toHaveLength(3);
});
