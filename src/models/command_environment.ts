import { renderTable } from './table.ts';

const VARIABLES = [
  ['TRIPTYCH_HOME', 'Where models are kept (else $XDG_CACHE_HOME/triptych, ~/.cache/triptych)'],
  ['HF_TOKEN', 'Token of a Hugging Face account, for gated models'],
  ['HF_ENDPOINT', 'Mirror of https://huggingface.co'],
  ['TRIPTYCH_MODEL_MIRROR', 'Mirror of every host: <mirror>/<model id>/<file>'],
  ['HF_HUB_OFFLINE', '1: do not use the network, as with --offline'],
  ['HTTPS_PROXY, HTTP_PROXY', 'Proxy for downloads, except of the hosts in NO_PROXY'],
] as const;

/** The variables that the `models` commands read, for their help. */
export const ENVIRONMENT_HELP = renderTable(
  ['ENVIRONMENT', ''],
  [['', ''], ...VARIABLES.map(([name, does]) => [`  ${name}`, does])],
);
