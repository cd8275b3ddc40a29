interface Page {
  readonly text: string
  readonly link: string
  /** One line about the page, for llms.txt. */
  readonly about: string
}

const page = (name: string, text: string, about: string): Page => ({ text, link: `/${name}`, about })

/** The sidebar of the site, and the order of the pages in llms.txt. `test/docs.test.ts` checks that every page is here. */
export const sections = [
  {
    text: 'Start',
    items: [
      page('getting-started', 'Getting started', 'from an empty folder to an API call with a token, in three minutes'),
      page('http-clients', 'HTTP clients', 'fetch, ofetch, axios, undici, and libraries that take a fetch'),
    ],
  },
  {
    text: 'Tasks',
    items: [
      page(
        'token-parameters',
        'Tokens that depend on the request',
        'scope, resource and other parameters for one call',
      ),
      page('nestjs', 'NestJS', 'a module, HTTP clients by injection, and an end with the application'),
      page(
        'stacks',
        'BullMQ, Fastify, cron, serverless',
        'where a token manager is made in each stack, and when it ends',
      ),
      page('mcp', 'MCP clients', 'one token for all clients of the Model Context Protocol in a process and a fleet'),
      page('websocket', 'WebSocket', 'connections that open with a token, and outlive it'),
      page('grpc', 'gRPC', 'tokens for the calls of @grpc/grpc-js, in one argument of a client'),
      page('azure', 'Azure', 'clients of the Azure SDK with your tokens, and your tokens from identities of Azure'),
      page('messaging', 'Message brokers', 'connections to RabbitMQ, Kafka and MQTT brokers that outlive their tokens'),
      page('redis', 'Share tokens by Redis', 'one token and one token request for a whole fleet'),
      page('client-authentication', 'Client authentication', 'secrets that rotate, private keys, client assertions'),
      page(
        'workload-identity',
        'Workload identity',
        'no secret: Kubernetes, GitHub Actions, Azure, Google Cloud, AWS, SPIFFE',
      ),
      page(
        'cross-app-access',
        "Another company's API, for your users",
        'identity assertion grants (ID-JAG): a token for a user, without a login at the API',
      ),
      page(
        'token-exchange',
        'Token exchange and JWT bearer',
        'a token in place of another one, for a user or a service',
      ),
      page('refresh-tokens', 'Refresh tokens', 'a worker that acts for a person, with rotation, in a fleet'),
      page('dpop', 'DPoP: tokens bound to a key', 'proofs of possession (RFC 9449), alone and in a fleet'),
      page('mtls', 'Mutual TLS', 'client certificates and certificate-bound tokens (RFC 8705)'),
      page('challenges', 'What an API demands', 'claims, scopes, and the authorization server of an API'),
      page('many-tenants', 'Many tenants', 'definitions that are found at run time, and what to know with thousands'),
      page('custom-stores', 'Write a store', 'three methods, and what a store can add'),
      page('sidecar', 'A proxy for other languages', 'a local proxy that adds tokens to the requests of any program'),
      page('testing', 'Test your code', 'scripted tokens, failures and rejections, and a clock'),
    ],
  },
  {
    text: 'In production',
    items: [
      page('operations', 'Operations', 'metrics, traces, alerts and what to do for each, logging, readiness'),
      page(
        'fleet-size',
        'How large can a fleet be?',
        'requests to the token endpoint and commands to Redis, for any number of processes',
      ),
      page('failures', 'What happens on failure', 'what your code sees when something fails, as a table'),
      page('cli', 'Command line', 'check a client, print a token, forward requests, run a local authorization server'),
      page('why-no-token', 'Why do I get no token?', 'every error of a token request: what it means and what to do'),
      page('security', 'Security', 'what is protected, and how'),
      page('benchmarks', 'Benchmarks', 'what it costs and how it behaves, next to other libraries'),
    ],
  },
  {
    text: 'Moving from …',
    items: [
      page('migrate-duende', 'Duende.AccessTokenManagement', 'the same in C# and in TypeScript'),
      page('migrate-axios-interceptors', 'axios interceptors', 'what an interceptor of your own gets wrong'),
      page('migrate-simple-oauth2', 'simple-oauth2 and others', 'also openid-client, MSAL and google-auth-library'),
    ],
  },
]
