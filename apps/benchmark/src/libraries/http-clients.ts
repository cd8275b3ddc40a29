import type { AxiosInstance } from 'axios'
import type { OpenLibrary, OpenOptions } from './library'

/** Requests by the platform's fetch: with the header of a library, or with a fixed one. */
export function byFetch(
  { baseURL }: OpenOptions,
  authorization: () => Promise<string>,
): Pick<OpenLibrary, 'request' | 'requestWithHeader'> {
  const url = `${baseURL}test`
  return {
    request: async () => read(await fetch(url, { headers: { authorization: await authorization() } })),
    requestWithHeader: fetchWithHeader(url),
  }
}

/** Requests by the platform's fetch, with a fixed header. */
export function fetchWithHeader(url: string): OpenLibrary['requestWithHeader'] {
  return (authorization) => {
    const headers = { authorization }
    return async () => read(await fetch(url, { headers }))
  }
}

/** Reads the body, as every caller does, and returns the status. */
export async function read(response: Response): Promise<number> {
  await response.json()
  return response.status
}

/** Requests by an axios instance. The status of a response that is no success is returned too. */
export async function getByAxios(instance: AxiosInstance): Promise<number> {
  const { status } = await instance.get('test')
  return status
}

/** For axios: no status is an error, as it is for fetch. */
export const everyStatus = () => true
