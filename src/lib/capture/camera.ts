import { ShoalError } from '../model/error.ts';
import { cameraAsks, type CameraAsk, type DeviceKind } from './camera-asks.ts';
import { toCaptureError } from './capture-error.ts';
import { streamSource, type Source } from './source.ts';

/** Which camera and microphone. */
export interface CameraOptions {
	/** Device from `listDevices`. @default the browser's choice */
	readonly videoDeviceId?: string | undefined;
	/** Device from `listDevices`. @default the browser's choice */
	readonly audioDeviceId?: string | undefined;
	/** @default true */
	readonly video?: boolean | undefined;
	/** @default true */
	readonly audio?: boolean | undefined;
}

/**
 * Opens a camera and a microphone; asks the person where needed. Where one of the two is missing, the other comes alone; the
 * browser's choice stands in for a device that is gone, which the source tells as `absent`.
 * Rejects with `capture-denied`, `no-device` or `device-failed`.
 */
export async function openCamera(options: CameraOptions = {}): Promise<Source> {
	const { videoDeviceId = '', audioDeviceId = '', video = true, audio = true } = options;
	const wanted: CameraAsk = {
		camera: video ? videoDeviceId : undefined,
		microphone: audio ? audioDeviceId : undefined,
	};
	const { stream, got } = await getFirst(wanted);
	const leading = stream.getVideoTracks()[0] ?? stream.getAudioTracks()[0];
	const kinds: readonly DeviceKind[] = ['camera', 'microphone'];
	return streamSource({
		kind: 'camera',
		label: leading?.label ?? '',
		stream,
		trackEnd: 'unplugged',
		absent: kinds.filter((kind) => wanted[kind] && got[kind] !== wanted[kind]),
	});
}

/** Opens the best that there is of what is wanted. */
async function getFirst(wanted: CameraAsk): Promise<{ stream: MediaStream; got: CameraAsk }> {
	const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
	if (!devices) throw new ShoalError('capture-denied', 'cameras need a secure page (https)');
	let missing = new ShoalError('no-device', 'neither camera nor microphone asked for');
	if (wanted.camera === undefined && wanted.microphone === undefined) throw missing;
	for (const got of cameraAsks(wanted)) {
		try {
			return { stream: await devices.getUserMedia(constraints(got)), got };
		} catch (cause) {
			const what = got.camera === undefined ? 'microphone' : 'camera';
			missing = toCaptureError(cause, what);
			if (missing.code !== 'no-device') throw missing;
		}
	}
	throw missing;
}

function constraints({ camera, microphone }: CameraAsk): MediaStreamConstraints {
	const device = (id: string) => (id ? { deviceId: { exact: id } } : {});
	const size = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
	return {
		video: camera !== undefined && { ...device(camera), ...size },
		audio: microphone !== undefined && device(microphone),
	};
}
