import './suites/queues.ts';
import './suites/product.ts';
import './suites/topology.ts';
import './suites/schedulers.ts';
