import{mountHeader as r}from"../chunks/shared.js";import{start as t}from"../chunks/shared.js";t().then(r);
