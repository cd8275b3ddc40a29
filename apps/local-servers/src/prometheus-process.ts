import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { programFinder } from './program'
import { type ServerProcess, startServerProcess } from './server-process'

/** Finds a prometheus, or downloads one. */
export const prometheusProgram = programFinder({
  name: 'prometheus',
  variable: 'PROMETHEUS_BIN',
  debianPackage: 'prometheus',
  unpacked: { packages: ['prometheus'], path: 'usr/bin/prometheus' },
  probe: ['--version'],
})

/** Options of {@link startPrometheusProcess}. */
export interface PrometheusProcessOptions {
  /** What it scrapes each second: hosts with ports. */
  readonly targets: readonly string[]
  /** The paths of files with alert rules, which it evaluates each second. */
  readonly ruleFiles?: readonly string[]
}

/**
 * Starts a Prometheus, and waits until it responds.
 *
 * @throws Error when there is no prometheus, or it does not respond
 */
export async function startPrometheusProcess({
  targets,
  ruleFiles = [],
}: PrometheusProcessOptions): Promise<ServerProcess> {
  const program = await prometheusProgram()
  if (!program) throw new Error('no prometheus was found')
  // YAML, of which JSON is a part.
  const config = JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: [{ job_name: 'workers', static_configs: [{ targets }] }],
  })
  return startServerProcess({
    program,
    // It does not tell its process id, but it tells the folder of its data.
    identify: { command: 'GET /api/v1/status/flags HTTP/1.0\r\n', end: '}}' },
    async args(port, folder) {
      const file = join(folder, 'prometheus.yml')
      await writeFile(file, config)
      const address = `--web.listen-address=127.0.0.1:${port}`
      return [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, 'data')}`, address, '--log.level=error']
    },
  })
}
