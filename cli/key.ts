import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import {
	backupKey,
	defaultKeyFile,
	MAX_KEY_FILE_BYTES,
	readKeyFile,
	restoreKey,
} from './key-file.ts';
import { Output } from './output.ts';
import { readStdin } from './read-stdin.ts';
import type { SiteOptions } from './site.ts';
import { siteOf } from './site.ts';

interface KeyOptions extends SiteOptions {
	readonly key: string;
	readonly force?: boolean;
	readonly json?: boolean;
}

/** `shoal key`. */
export function addKey(program: Command): void {
	const key = program.command('key').description('the key of your channel: show, back up, restore');
	const file = ['--key <file>', 'the key file', defaultKeyFile()] as const;
	key
		.command('show')
		.description('print the peer link of the channel; the private key stays where it is')
		.option(...file)
		.option('--app <url>', 'the site the link points to')
		.option('--json', 'say it in JSON')
		.addHelpText('after', '\nExample:\n  $ shoal key show --app https://shoal.example')
		.action(async (options: KeyOptions) => {
			const { channel } = await readKeyFile(options.key);
			const link = `${siteOf(options)}/watch/#${channel.id}`;
			new Output(options).result(link, {
				type: 'key',
				channel: channel.id,
				link,
				file: options.key,
			});
		});
	key
		.command('backup')
		.description('print the key file; whoever has it can broadcast on your channel')
		.option(...file)
		.addHelpText('after', '\nExample:\n  $ (umask 077; shoal key backup > channel-backup.key)')
		.action(async (options: KeyOptions) => {
			process.stdout.write(await backupKey(options.key));
		});
	key
		.command('restore <backup>')
		.description('put a backup in place; - reads it from stdin')
		.option(...file)
		.option('--force', 'replace the key of another channel')
		.option('--json', 'say it in JSON')
		.addHelpText('after', '\nExample:\n  $ shoal key restore channel-backup.key')
		.action(async (backup: string, options: KeyOptions) => {
			const text =
				backup === '-'
					? (await readStdin(MAX_KEY_FILE_BYTES, 'key file')).toString()
					: await readFile(backup, 'utf8');
			const { channel } = await restoreKey(text, options.key, options.force === true);
			new Output(options).result(`${options.key} speaks for channel ${channel.id}`, {
				type: 'key',
				channel: channel.id,
				file: options.key,
			});
		});
}
