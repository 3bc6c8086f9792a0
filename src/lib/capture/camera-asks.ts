/** A camera or microphone, as a kind. */
export type DeviceKind = 'camera' | 'microphone';

/** What one attempt asks for: a device by its id, any (`''`), or none of that kind (`undefined`). */
export interface CameraAsk {
	readonly camera: string | undefined;
	readonly microphone: string | undefined;
}

/**
 * What to ask the browser for, one after the other, for as long as it says that there is no such device: what is wanted,
 * then any device in the place of one that may be gone, then the camera or the microphone alone.
 */
export function cameraAsks({ camera, microphone }: CameraAsk): CameraAsk[] {
	const cameras = orAny(camera);
	const microphones = orAny(microphone);
	const together = cameras.flatMap((one) =>
		microphones.map((other) => ({ camera: one, microphone: other })),
	);
	if (camera === undefined || microphone === undefined) return together;
	return [
		...together,
		...cameras.map((one) => ({ camera: one, microphone: undefined })),
		...microphones.map((other) => ({ camera: undefined, microphone: other })),
	];
}

function orAny(id: string | undefined): (string | undefined)[] {
	return id ? [id, ''] : [id];
}
