import 'reflect-metadata'
import { type DynamicModule, type INestApplicationContext, Injectable, type LoggerService } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Clock } from '@tokenward/core'
import { InjectClient, TokenwardModule } from '@tokenward/nestjs'
import { createOfetch } from '@tokenward/ofetch'
import type { $Fetch } from 'ofetch'
import type { Item, Settings } from './settings'

@Injectable()
export class CatalogWorker {
  constructor(@InjectClient('catalog') private readonly catalog: $Fetch) {}

  list(): Promise<Item[]> {
    return this.catalog<Item[]>('list')
  }
}

class AppModule {}

function appModule({ issuer, clientId, clientSecret, api }: Settings, clock: Clock | undefined): DynamicModule {
  return {
    module: AppModule,
    imports: [
      TokenwardModule.forRoot({
        clients: { 'catalog.client': { issuer, clientId, clientSecret, scope: 'catalog' } },
        warmUp: true,
        clock,
      }),
      TokenwardModule.forFeature({
        catalog: (tokens) => createOfetch(tokens, 'catalog.client', { baseURL: api }),
      }),
    ],
    providers: [CatalogWorker],
  }
}

/** A NestJS worker: an application without an HTTP server. */
export async function startNestWorker(
  settings: Settings,
  logger: LoggerService | false,
  clock?: Clock,
): Promise<INestApplicationContext> {
  const app = await NestFactory.createApplicationContext(appModule(settings, clock), { logger, abortOnError: false })
  app.enableShutdownHooks() // SIGTERM closes the token manager
  return app
}
