/** The colour maps on offer. */
export const COLORMAPS = ['turbo', 'viridis', 'inferno', 'magma', 'gray', 'spectral'] as const;

/** Name of a colour map. */
export type Colormap = (typeof COLORMAPS)[number];

/**
 * RRGGBB at equal steps from 0 to 1, linear in between.
 *
 * turbo: Anton Mikhailov, Google, Apache-2.0. viridis, inferno, magma: Nathaniel Smith, Stéfan van
 * der Walt and Eric Firing, CC0. Every fifth of their 256 entries: the interpolated table is
 * within 1/255 of the published one. spectral: Cynthia Brewer, ColorBrewer 2.0, Apache-2.0, whose
 * eleven colours define it.
 */
const CONTROL_POINTS: Readonly<Record<Colormap, string>> = {
  turbo:
    '30123b36215f3b2f803f3e9c424bb54559cb4666dd4773eb4680f6458cfd4099ff38a5fb2fb2f427bee91fc9dd' +
    '1ad4d018ddc21ae4b622ebaa2ff19b3ff68a52fa7a65fd6979fe598bff4b9cfe40a9fb39b7f735c3f134d0ea34' +
    'dbe236e5d938eecf3af5c53afaba39fdae35fea130fe932afc8423f9751df46617ef5811e84b0ce14109d83706' +
    'ce2d04c32503b71d02a916019b0f018b09027a0403',
  viridis:
    '44015446085c471063481769481d6f482475472a7a46307e453781433d844142873f48893d4e8a3a538b38598c' +
    '355e8d33638d31688e2e6d8e2c718e2a768e297b8e27808e25848e23898e218e8d20928c1f978b1e9c891fa188' +
    '21a58524aa8328ae802eb37c35b7793dbc7446c06f50c46a5ac86465cb5e70cf577cd25089d54895d840a2da37' +
    'b0dd2fbddf26cae11fd8e219e5e419f1e51dfde725',
  inferno:
    '00000402020c0504170a072210092d160b391e0c45260c512f0a5b380962400a67490b6a510e6c59106e61136e' +
    '69166e71196e781c6d801f6c88226a902568982766a02a63a82e5fb0315bb73557bf3952c63d4dcc4248d34743' +
    'd94d3ddf5337e45a31e9612bed6925f1711ff47918f78212f98b0bfa9407fb9d07fca60cfcb014fbba1ffac42a' +
    'f8cd37f6d746f4e156f2ea69f2f27df5f992fcffa4',
  magma:
    '00000402020b0504160907200e0b2b140e361a104221114e29115a311165390f6e420f754a107952137c5a167e' +
    '6219806a1c81721f81792282812581892881912b81992d80a1307eaa337db2357bba3878c23b75ca3e72d2426f' +
    'd9466be04c67e75263ec5860f1605df4695cf7725cf97b5dfb8560fc8e64fd9869fea16efeaa74feb47bfebd82' +
    'fec68afecf92fed89afde2a3fdebacfcf4b6fcfdbf',
  gray: '000000ffffff',
  spectral: '9e0142d53e4ff46d43fdae61fee08bffffbfe6f598abdda466c2a53288bd5e4fa2',
};

const ENTRIES = 256;

/** The colour map as 256 RGB entries, uint8 256×3, from the lowest value to the highest. */
export function colormapTable(name: Colormap): Uint8Array {
  const points = Uint8Array.fromHex(CONTROL_POINTS[name]);
  const last = points.length / 3 - 1;
  const table = new Uint8Array(ENTRIES * 3);
  for (let entry = 0; entry < ENTRIES; entry++) {
    const at = (entry / (ENTRIES - 1)) * last;
    const from = Math.min(Math.floor(at), last - 1);
    for (let channel = 0; channel < 3; channel++) {
      const low = points[from * 3 + channel];
      const high = points[(from + 1) * 3 + channel];
      table[entry * 3 + channel] = Math.round(low + (high - low) * (at - from));
    }
  }
  return table;
}
