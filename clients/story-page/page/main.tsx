/**
 * The script of the page: goes on with what the server has rendered.
 *
 * @module
 */
import { hydrate } from 'preact';
import type { PageData } from '../view/data.ts';
import { DATA_ID } from '../view/data.ts';
import { App } from './app.tsx';

const page = document.getElementById('page');
const data = document.getElementById(DATA_ID)?.textContent;
if (page && data) hydrate(<App data={JSON.parse(data) as PageData} />, page);
