import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { sections } from './sections'

const installed = (name: string) => fileURLToPath(import.meta.resolve(name))
const repository = 'https://github.com/tokenward/tokenward'

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="8" fill="#1f5fa8"/><path d="M4 5h8M8 5v7" stroke="#fff" stroke-width="2"/></svg>'

export default defineConfig({
  title: 'tokenward',
  description: 'OAuth 2.0 access tokens for TypeScript workers, daemons and background jobs',
  lang: 'en',
  head: [['link', { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  srcDir: '../../docs',
  base: process.env.DOCS_BASE ?? '/',
  // The pages lie outside of this workspace, where `vue` is not found. What Node would load of it does not run in a browser.
  vite: {
    resolve: {
      alias: [
        { find: 'vue/server-renderer', replacement: installed('vue/server-renderer') },
        { find: /^vue$/, replacement: installed('vue/dist/vue.runtime.esm-bundler.js') },
      ],
    },
  },
  // The theme's home page has no main landmark, which screen readers jump to.
  transformHtml: (html) => html.replace('class="VPContent is-home"', 'role="main" $&'),
  // Links into the repository work on GitHub. On the site they lead there.
  markdown: {
    // The default themes show comments too faintly.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      md.core.ruler.push('repository-links', ({ tokens }) => {
        for (const { children } of tokens) {
          for (const token of children ?? []) {
            const href = token.attrGet('href')
            if (href?.startsWith('../')) token.attrSet('href', `${repository}/tree/main/${href.slice(3)}`)
          }
        }
      })
    },
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/getting-started' },
      { text: 'Reference', link: '/reference/' },
    ],
    sidebar: sections,
    outline: { level: [2, 3], label: 'On this page' },
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: repository, ariaLabel: 'tokenward on GitHub' }],
    footer: { message: 'MIT licence' },
  },
})
