import{a}from"../chunks/chunk-TKX452K6.js";import"../chunks/chunk-EKLRJPSP.js";export{a as keep};
