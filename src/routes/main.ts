import { linkTarget } from './_ui/link-target.ts';
import { linkTrouble } from './_ui/words.ts';

const form = document.querySelector('form');
const box = document.querySelector('input');
const trouble = document.querySelector('#trouble');
if (!form || !box || !trouble) throw new Error('the page and its script differ');

function say(text: string): void {
	if (!box || !trouble) return;
	trouble.textContent = text;
	box.setAttribute('aria-invalid', String(text !== ''));
}

box.addEventListener('input', () => say(''));
form.addEventListener('submit', (event) => {
	event.preventDefault();
	try {
		location.href = linkTarget(box.value, new URL('./watch/', location.href));
	} catch (error) {
		say(linkTrouble(box.value, error));
		box.focus();
	}
});
