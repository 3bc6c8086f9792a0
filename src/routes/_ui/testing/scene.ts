/** A picture that moves a little, as a camera would give it. */
export function scene(withSound = false): MediaStream {
	const canvas = document.createElement('canvas');
	canvas.width = 1280;
	canvas.height = 720;
	const pen = canvas.getContext('2d');
	if (!pen) throw new Error('no canvas');
	let frame = 0;
	const draw = () => {
		const sky = pen.createLinearGradient(0, 0, 0, 720);
		sky.addColorStop(0, '#f0b27a');
		sky.addColorStop(0.45, '#d8756b');
		sky.addColorStop(0.55, '#41506f');
		sky.addColorStop(1, '#16233b');
		pen.fillStyle = sky;
		pen.fillRect(0, 0, 1280, 720);
		pen.fillStyle = '#fbe3b0';
		pen.beginPath();
		pen.arc(880, 330, 70, 0, Math.PI * 2);
		pen.fill();
		pen.fillStyle = '#22304c';
		pen.fillRect(0, 392, 1280, 6);
		pen.strokeStyle = '#fbe3b066';
		pen.lineWidth = 3;
		for (let i = 0; i < 14; i++) {
			const y = 410 + i * 22;
			const half = 20 + i * 16 + 8 * Math.sin(frame / 9 + i);
			pen.beginPath();
			pen.moveTo(880 - half, y);
			pen.lineTo(880 + half, y);
			pen.stroke();
		}
		frame++;
	};
	draw();
	setInterval(draw, 100);
	const stream = canvas.captureStream(10);
	if (withSound) {
		const context = new AudioContext();
		const end = context.createMediaStreamDestination();
		const tone = new OscillatorNode(context, { frequency: 220 });
		tone.connect(new GainNode(context, { gain: 0.3 })).connect(end);
		tone.start();
		for (const track of end.stream.getAudioTracks()) stream.addTrack(track);
	}
	return stream;
}
