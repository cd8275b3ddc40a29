import { programFinder } from './program'

/** Finds a Chromium for tests of pages, or downloads one. Debian's headless shell needs half as many packages as its browser. */
export const chromiumProgram = programFinder({
  name: 'chromium',
  otherNames: ['chromium-headless-shell', 'chromium-browser', 'google-chrome'],
  variable: 'CHROMIUM_BIN',
  debianPackage: 'chromium-headless-shell',
  unpacked: { path: 'usr/lib/chromium/chromium-headless-shell' },
  // As root, Chromium only starts with --no-sandbox.
  probe: ['--headless', '--no-sandbox', '--disable-gpu', '--version'],
})
