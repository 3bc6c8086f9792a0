import { ShoalError } from '../model/error.ts';
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
 * Opens a camera and a microphone; asks the person where needed.
 * Where one of the two is missing, the other comes alone. Rejects with `capture-denied`, `no-device` or `device-failed`.
 */
export async function openCamera(options: CameraOptions = {}): Promise<Source> {
	const { videoDeviceId, audioDeviceId, video = true, audio = true } = options;
	const videoConstraints: MediaTrackConstraints = {
		...(videoDeviceId ? { deviceId: { exact: videoDeviceId } } : {}),
		width: { ideal: 1280 },
		height: { ideal: 720 },
		frameRate: { ideal: 30 },
	};
	const audioConstraints: MediaTrackConstraints = {
		...(audioDeviceId ? { deviceId: { exact: audioDeviceId } } : {}),
	};
	const stream = await getUserMedia(video && videoConstraints, audio && audioConstraints);
	const leading = stream.getVideoTracks()[0] ?? stream.getAudioTracks()[0];
	return streamSource({
		kind: 'camera',
		label: leading?.label ?? '',
		stream,
		trackEnd: 'unplugged',
	});
}

async function getUserMedia(
	video: MediaTrackConstraints | false,
	audio: MediaTrackConstraints | false,
): Promise<MediaStream> {
	const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
	if (!devices) throw new ShoalError('capture-denied', 'cameras need a secure page (https)');
	if (!video && !audio)
		throw new ShoalError('no-device', 'neither camera nor microphone asked for');
	try {
		return await devices.getUserMedia({ video, audio });
	} catch (cause) {
		const error = toCaptureError(cause, video ? 'camera' : 'microphone');
		// A machine with a camera and no microphone, or the reverse, can still broadcast with what it has.
		if (error.code !== 'no-device' || !video || !audio || video.deviceId || audio.deviceId)
			throw error;
		return devices
			.getUserMedia({ video })
			.catch(() => devices.getUserMedia({ audio }))
			.catch((again: unknown) => {
				throw toCaptureError(again, 'camera or microphone');
			});
	}
}
