import{a,b}from"./chunk-Q2TICX5E.js";import"./chunk-NULVYSTY.js";import"./chunk-3LGTVSS6.js";export{a as Push,b as renewPush};
