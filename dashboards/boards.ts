/** Every board. */
import type { Board } from './board.ts';
import { anomalyBoard, forecastBoard } from './insight-boards.ts';
import { pipelineBoard, qualityBoard } from './pipeline-boards.ts';
import { channelBoard, skuBoard, stockBoard } from './stock-boards.ts';

export const boards: readonly Board[] = [
  stockBoard,
  channelBoard,
  pipelineBoard,
  qualityBoard,
  anomalyBoard,
  forecastBoard,
  skuBoard,
];
